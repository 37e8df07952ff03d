/**
 * Chunks of a streamed answer: each choice's text runs through its own machine, everything else passes. Also keeps count of which
 * choices have ended, whether their text is transformed or not.
 */
import { isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
import type { AnswerShape } from "./AnswerShape.ts"
import {
  finishReasonOf,
  hasContent,
  holderOf,
  reasoningMembers,
  reasoningOf,
  saysContent,
  type TextPlace,
  transformHolder,
  withHolder,
  writePieces,
} from "./ChoiceText.ts"
import {
  type ChoiceMachine,
  type ChoiceMachineState,
  type ChoiceTransform,
  choiceMachine,
  MachineRun,
} from "./ChoiceTransform.ts"

/** How far one choice has come. */
export interface ChoiceProgress {
  readonly index: number
  /** `undefined` where nothing is transformed, and after the choice has ended. */
  readonly machine: ChoiceMachineState | undefined
  /** Said once; what comes after it passes as it is. */
  readonly finishReason: string | undefined
  /** A chunk of this choice has been let through, and with it the role. */
  readonly introduced: boolean
  /** The upstream sent content that is not empty. */
  readonly hadContent: boolean
  /** A chunk with a content member, empty or not, has been let through. */
  readonly gaveContent: boolean
}

/** The choices seen so far. */
export type Progress = ReadonlyArray<ChoiceProgress>

/** Transforms the chunks of one answer. */
export interface ChunkTransform {
  /** Whether anything is transformed at all. */
  readonly active: boolean
  /**
   * The chunk to be sent in place of one that came: the same object where nothing changes, `undefined` where its text is held
   * back or removed and it says nothing else.
   */
  readonly step: (
    progress: Progress,
    chunk: JsonObject,
  ) => readonly [progress: Progress, chunk: JsonObject | undefined]
  /** What is still held back, as choices of a last chunk. */
  readonly flush: (progress: Progress) => readonly [progress: Progress, choices: ReadonlyArray<JsonObject>]
}

/** Choices of one answer that are followed; those of a hostile upstream beyond it pass as they are. */
export const maxChoices = 128

const quietInChunk: ReadonlySet<string> = new Set([
  "id",
  "object",
  "created",
  "model",
  "choices",
  "system_fingerprint",
  "service_tier",
  "provider",
  "obfuscation",
])

const quietInChoice: ReadonlySet<string> = new Set(["index", "finish_reason"])

/** Whether a value says nothing. */
const isBlank = (value: Json): boolean =>
  value === null || value === "" || (Array.isArray(value) && value.length === 0)

/** Whether an object has members that say something, those aside that `quiet` and `alsoQuiet` name. */
const speaks = (
  object: JsonObject,
  quiet: ReadonlySet<string>,
  alsoQuiet: (member: string) => boolean = () => false,
): boolean => {
  for (const [member, value] of Object.entries(object)) {
    if (!quiet.has(member) && !alsoQuiet(member) && !isBlank(value)) return true
  }
  return false
}

const indexOf = (choice: JsonObject, position: number): number => {
  const index = choice["index"]
  return typeof index === "number" && Number.isSafeInteger(index) && index >= 0 ? index : position
}

interface Stepped {
  readonly progress: ChoiceProgress
  readonly choice: JsonObject
  /** Its text was taken away, and it says nothing else. */
  readonly silent: boolean
}

/** The transformation of the chunks of answers of this shape. */
export const chunkTransform = (shape: AnswerShape, transform: ChoiceTransform): ChunkTransform => {
  const place = shape.inChunk
  const machine = choiceMachine(transform)

  const begin = (index: number): ChoiceProgress => ({
    index,
    machine: machine?.initial,
    finishReason: undefined,
    introduced: false,
    hadContent: false,
    gaveContent: false,
  })

  const step: ChunkTransform["step"] = (progress, chunk) => {
    const choices = chunk["choices"]
    if (!Array.isArray(choices)) return [progress, chunk]
    const after: Array<ChoiceProgress> = [...progress]
    const sent: Array<Json> = []
    let changed = false
    let silent = choices.length > 0
    for (let position = 0; position < choices.length; position++) {
      const choice: Json = choices[position]
      if (!isJsonObject(choice)) {
        silent = false
        sent.push(choice)
        continue
      }
      const index = indexOf(choice, position)
      const slot = after.findIndex((one) => one.index === index)
      const known = slot === -1 ? begin(index) : after[slot]
      if (known === undefined || (slot === -1 && after.length === maxChoices)) {
        silent = false
        sent.push(choice)
        continue
      }
      const stepped = stepChoice(place, transform, machine, known, choice)
      after[slot === -1 ? after.length : slot] = stepped.progress
      if (stepped.choice !== choice) changed = true
      if (!stepped.silent) silent = false
      sent.push(stepped.choice)
    }
    if (silent && !speaks(chunk, quietInChunk)) return [after, undefined]
    return [introduce(after, sent), changed ? { ...chunk, choices: sent } : chunk]
  }

  /** Notes what a chunk let through has said of its choices. */
  const introduce = (progress: Progress, sent: ReadonlyArray<Json>): Progress => {
    if (machine === undefined) return progress
    return progress.map((one) => {
      if (one.introduced && one.gaveContent) return one
      const choice = sent.find((other, at) => isJsonObject(other) && indexOf(other, at) === one.index)
      if (!isJsonObject(choice)) return one
      const gaveContent = one.gaveContent || hasContent(holderOf(choice, place), place)
      return { ...one, introduced: true, gaveContent }
    })
  }

  const flush: ChunkTransform["flush"] = (progress) => {
    if (machine === undefined) return [progress, []]
    const choices: Array<JsonObject> = []
    for (const one of progress) {
      const pieces = one.machine === undefined ? [] : machine.halt(one.machine)
      if (pieces.length === 0) continue
      const holder = writePieces({}, place, transform.thinking, pieces)
      choices.push(
        place.holder === undefined
          ? { index: one.index, [place.content]: "", ...holder, logprobs: null, finish_reason: null }
          : { index: one.index, [place.holder]: holder, logprobs: null, finish_reason: null },
      )
    }
    return [progress.map((one) => ({ ...one, machine: undefined })), choices]
  }

  return { active: machine !== undefined, step, flush }
}

const stepChoice = (
  place: TextPlace,
  transform: ChoiceTransform,
  machine: ChoiceMachine | undefined,
  known: ChoiceProgress,
  choice: JsonObject,
): Stepped => {
  const finishReason = known.finishReason ?? finishReasonOf(choice)
  if (machine === undefined || known.machine === undefined) {
    const progress = finishReason === known.finishReason ? known : { ...known, finishReason }
    return { progress, choice, silent: false }
  }

  const holder = holderOf(choice, place)
  const ends = finishReason !== undefined
  const run = new MachineRun(machine, known.machine, ends)
  const written = transformHolder(holder, place, transform.thinking, run)

  const hadContent = known.hadContent || saysContent(holder, place)
  // Content that was removed to the last character is empty, not absent: a plain answer says "" too.
  const emptied = ends && hadContent && !known.gaveContent && !hasContent(written, place)
  const after = emptied ? { ...written, [place.content]: "" } : written
  return {
    // By name, since copying it as a whole costs more; so does the copy of the answer's state (AnswerStream).
    progress: {
      index: known.index,
      machine: ends ? undefined : run.state,
      finishReason,
      introduced: known.introduced,
      hadContent,
      gaveContent: known.gaveContent,
    },
    choice: withHolder(choice, place, after),
    silent: !ends && run.hasText && isSilent(place, known, choice, after),
  }
}

/** Whether a choice whose text went through the machine has nothing left to say. */
const isSilent = (
  place: TextPlace,
  known: ChoiceProgress,
  choice: JsonObject,
  holder: JsonObject,
): boolean => {
  if (saysContent(holder, place) || reasoningOf(holder) !== "") return false
  const isQuiet = (member: string): boolean =>
    member === place.content ||
    reasoningMembers.some((name) => name === member) ||
    (member === "role" && known.introduced)
  if (place.holder === undefined) return !speaks(holder, quietInChoice, isQuiet)
  const { holder: holderName } = place
  return (
    !speaks(choice, quietInChoice, (member) => member === holderName) && !speaks(holder, noMembers, isQuiet)
  )
}

const noMembers: ReadonlySet<string> = new Set()
