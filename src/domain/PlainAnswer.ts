/** Answers that come whole: their text transformed choice by choice, and what the audit and the access log want to know of them. */

import {
  callsTool,
  finishReasonOf,
  holderOf,
  placeInAnswer,
  type TextPlace,
  transformHolder,
  withHolder,
} from "./ChoiceText.ts"
import { type ChoiceMachine, type ChoiceTransform, choiceMachine } from "./ChoiceTransform.ts"
import { chatCompletions, type Endpoint } from "./Endpoint.ts"
import { isJsonObject, type Json } from "./Json.ts"
import { parseObject, rewriteJson } from "./JsonBytes.ts"
import { errorInChunk, type StreamError } from "./StreamError.ts"
import { readUsage, type Usage } from "./Usage.ts"

const transformChoice = (
  choice: Json,
  place: TextPlace,
  transform: ChoiceTransform,
  machine: ChoiceMachine,
): Json => {
  if (!isJsonObject(choice)) return choice
  const holder = holderOf(choice, place)
  let state = machine.initial
  let hasText = false
  const after = transformHolder(holder, place, transform.thinking, {
    take: (piece) => {
      hasText = true
      const [next, outputs] = machine.step(state, piece)
      state = next
      return outputs
    },
    rest: () => machine.halt(state),
  })
  return hasText ? withHolder(choice, place, after) : choice
}

/** The answer with the text of every choice transformed; the same bytes where nothing changes or they are not an answer. */
export const transformAnswer = (
  endpoint: Endpoint,
  transform: ChoiceTransform,
  bytes: Uint8Array,
): Uint8Array => {
  const machine = choiceMachine(transform)
  const answer = machine === undefined ? undefined : parseObject(bytes)
  const before = answer?.["choices"]
  if (machine === undefined || answer === undefined || !Array.isArray(before)) return bytes
  const choices: ReadonlyArray<Json> = before
  const place = placeInAnswer(endpoint)
  const after = choices.map((choice) => transformChoice(choice, place, transform, machine))
  if (after.every((choice, at) => choice === choices[at])) return bytes
  return rewriteJson(bytes, answer, { ...answer, choices: after }) ?? bytes
}

/** Why a body that came with a good status is no answer: something else than a JSON object, or an error. */
export type NoAnswer = { readonly kind: "not_json" } | { readonly kind: "error"; readonly error: StreamError }

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

const [braceOpen, braceClose] = [0x7b, 0x7d]

/** Whether bytes begin and end as a JSON object does, a byte order mark aside. */
const looksLikeObject = (bytes: Uint8Array): boolean => {
  let first = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  let last = bytes.length - 1
  while (isSpace(bytes[first])) first++
  while (isSpace(bytes[last])) last--
  return bytes[first] === braceOpen && last > first && bytes[last] === braceClose
}

/**
 * What is wrong with a body that came with a good status, if anything: proxies send pages, and some providers errors. Parses only what holds
 * the word: an answer is large, and is parsed for its facts anyway.
 */
export const noAnswer = (bytes: Uint8Array): NoAnswer | undefined => {
  if (!looksLikeObject(bytes)) return { kind: "not_json" }
  if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes('"error"')) return undefined
  const answer = parseObject(bytes)
  if (answer === undefined) return { kind: "not_json" }
  const error = errorInChunk(answer)
  return error === undefined ? undefined : { kind: "error", error }
}

/** What an answer says about itself. */
export interface AnswerFacts {
  readonly usage: Usage
  /** Of the first choice that has one. */
  readonly finishReason: string | undefined
  /** Whether any choice calls a tool. */
  readonly toolCalls: boolean
}

/** Reads a whole answer. Of bytes that are not a JSON object nothing is known, and no tool was called. */
export const readAnswer = (bytes: Uint8Array): AnswerFacts => {
  const answer = parseObject(bytes) ?? {}
  const all = answer["choices"]
  const choices = Array.isArray(all) ? all.filter(isJsonObject) : []
  return {
    usage: readUsage(answer["usage"]),
    finishReason: choices.map(finishReasonOf).find((reason) => reason !== undefined),
    toolCalls: choices.some((choice) => callsTool(holderOf(choice, placeInAnswer(chatCompletions)))),
  }
}
