/** Chunks of a streamed answer whose texts are changed: each choice's text runs through its own machine, everything else passes. */
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
  isWithinLine,
  PieceRun,
} from "./ChoiceTransform.ts"
import { indexOf, maxChoices } from "./Progress.ts"

/** How far the text of one choice has come. */
export interface ChoiceRun {
  readonly index: number
  /** `undefined` after the choice has ended: what comes then passes as it is. */
  readonly machine: ChoiceMachineState | undefined
  /** A chunk of this choice has been let through, and with it the role. */
  readonly introduced: boolean
  /** The upstream sent content that is not empty. */
  readonly hadContent: boolean
  /** A chunk with a content member, empty or not, has been let through. */
  readonly gaveContent: boolean
}

/** The choices seen so far. */
export type ChoiceRuns = ReadonlyArray<ChoiceRun>

/** Transforms the chunks of one answer. */
export interface ChunkTransform {
  /**
   * The chunk to be sent in place of one that came: the same object where nothing changes, `undefined` where its text is held
   * back or removed and it says nothing else.
   */
  readonly step: (
    runs: ChoiceRuns,
    chunk: JsonObject,
  ) => readonly [runs: ChoiceRuns, chunk: JsonObject | undefined]
  /** Whether text of a known choice in which neither tag nor line feed can be passes as it is, and leaves these very runs. */
  readonly isWithinLine: (runs: ChoiceRuns) => boolean
  /** What is still held back, as choices of a last chunk. */
  readonly rest: (runs: ChoiceRuns) => ReadonlyArray<JsonObject>
}

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

/** Where usage is hidden from the client, it is no reason to send a chunk. */
const quietWithUsage: ReadonlySet<string> = new Set([...quietInChunk, "usage"])

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

interface Stepped {
  readonly run: ChoiceRun
  readonly choice: JsonObject
  /** Its text was taken away, and it says nothing else. */
  readonly silent: boolean
}

/**
 * The transformation of the chunks of answers of this shape; `undefined` where there is nothing to do.
 *
 * @param hidesUsage whether usage is taken out of the chunks afterwards. Where a chunk reports it and says nothing else, it then goes on without
 * choices, for whoever counts tokens
 */
export const chunkTransform = (
  shape: AnswerShape,
  transform: ChoiceTransform,
  hidesUsage: boolean,
): ChunkTransform | undefined => {
  const place = shape.inChunk
  const machine = choiceMachine(transform)
  if (machine === undefined) return undefined
  const quiet = hidesUsage ? quietWithUsage : quietInChunk

  const begin = (index: number): ChoiceRun => ({
    index,
    machine: machine.initial,
    introduced: false,
    hadContent: false,
    gaveContent: false,
  })

  const step: ChunkTransform["step"] = (runs, chunk) => {
    const choices = chunk["choices"]
    if (!Array.isArray(choices)) return [runs, chunk]
    const after: Array<ChoiceRun> = [...runs]
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
      after[slot === -1 ? after.length : slot] = stepped.run
      if (stepped.choice !== choice) changed = true
      if (!stepped.silent) silent = false
      sent.push(stepped.choice)
    }
    if (silent && !speaks(chunk, quiet)) {
      return [after, hidesUsage && isJsonObject(chunk["usage"]) ? { ...chunk, choices: [] } : undefined]
    }
    return [introduce(after, sent), changed ? { ...chunk, choices: sent } : chunk]
  }

  /** Notes what a chunk let through has said of its choices. */
  const introduce = (runs: ChoiceRuns, sent: ReadonlyArray<Json>): ChoiceRuns =>
    runs.map((one) => {
      if (one.introduced && one.gaveContent) return one
      const choice = sent.find((other, at) => isJsonObject(other) && indexOf(other, at) === one.index)
      if (!isJsonObject(choice)) return one
      const gaveContent = one.gaveContent || hasContent(holderOf(choice, place), place)
      return { ...one, introduced: true, gaveContent }
    })

  const rest: ChunkTransform["rest"] = (runs) => {
    const choices: Array<JsonObject> = []
    for (const one of runs) {
      const pieces = one.machine === undefined ? [] : machine.halt(one.machine)
      if (pieces.length === 0) continue
      const holder = writePieces({}, place, transform.thinking, pieces)
      choices.push(
        place.holder === undefined
          ? { index: one.index, [place.content]: "", ...holder, logprobs: null, finish_reason: null }
          : { index: one.index, [place.holder]: holder, logprobs: null, finish_reason: null },
      )
    }
    return choices
  }

  const isWithin: ChunkTransform["isWithinLine"] = ([first, other]) =>
    other === undefined &&
    first?.machine !== undefined &&
    first.introduced &&
    first.hadContent &&
    first.gaveContent &&
    isWithinLine(first.machine)

  return { step, isWithinLine: isWithin, rest }
}

const stepChoice = (
  place: TextPlace,
  transform: ChoiceTransform,
  machine: ChoiceMachine,
  known: ChoiceRun,
  choice: JsonObject,
): Stepped => {
  if (known.machine === undefined) return { run: known, choice, silent: false }

  const holder = holderOf(choice, place)
  const ends = finishReasonOf(choice) !== undefined
  const run = new PieceRun(machine, known.machine, ends)
  const written = transformHolder(holder, place, transform.thinking, run)

  const hadContent = known.hadContent || saysContent(holder, place)
  // Content that was removed to the last character is empty, not absent: a plain answer says "" too.
  const emptied = ends && hadContent && !known.gaveContent && !hasContent(written, place)
  const after = emptied ? { ...written, [place.content]: "" } : written
  return {
    // By name, since copying it as a whole costs more.
    run: {
      index: known.index,
      machine: ends ? undefined : run.state,
      introduced: known.introduced,
      hadContent,
      gaveContent: known.gaveContent,
    },
    choice: withHolder(choice, place, after),
    silent: !ends && run.hasText && isSilent(place, known, choice, after),
  }
}

/** Whether a choice whose text went through the machine has nothing left to say. */
const isSilent = (place: TextPlace, known: ChoiceRun, choice: JsonObject, holder: JsonObject): boolean => {
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
