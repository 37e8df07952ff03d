/** Answers that come whole: their text transformed choice by choice, and what the audit and the access log want to know of them. */
import { isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
import { rewriteJson } from "../wire/JsonBytes.ts"
import { outlineOf, wholeLimits } from "../wire/JsonOutline.ts"
import { type AnswerIdentity, identityOf } from "./AnswerIdentity.ts"
import type { AnswerShape } from "./AnswerShape.ts"
import {
  callsTool,
  finishReasonOf,
  holderOf,
  type TextPlace,
  transformHolder,
  withHolder,
} from "./ChoiceText.ts"
import { type ChoiceMachine, type ChoiceTransform, choiceMachine, PieceRun } from "./ChoiceTransform.ts"
import { readUsage, type Usage } from "./Usage.ts"

const transformChoice = (
  choice: Json,
  place: TextPlace,
  transform: ChoiceTransform,
  machine: ChoiceMachine,
): Json => {
  if (!isJsonObject(choice)) return choice
  const holder = holderOf(choice, place)
  const run = new PieceRun(machine, machine.initial, true)
  const after = transformHolder(holder, place, transform.thinking, run)
  return run.hasText ? withHolder(choice, place, after) : choice
}

/** The answer with the text of every choice transformed; the same bytes where nothing changes or they are not an answer. */
export const transformAnswer = (
  shape: AnswerShape,
  transform: ChoiceTransform,
  bytes: Uint8Array,
): Uint8Array => {
  const machine = choiceMachine(transform)
  const answer = machine === undefined ? undefined : outlineOf(bytes, wholeLimits)
  const before = answer?.["choices"]
  if (machine === undefined || answer === undefined || !Array.isArray(before)) return bytes
  const choices: ReadonlyArray<Json> = before
  const place = shape.inAnswer
  const after = choices.map((choice) => transformChoice(choice, place, transform, machine))
  if (after.every((choice, at) => choice === choices[at])) return bytes
  return rewriteJson(bytes, answer, { ...answer, choices: after }) ?? bytes
}

/** Whether answers are changed at all. */
export const changesAnswers = (transform: ChoiceTransform): boolean => choiceMachine(transform) !== undefined

/** What an answer says about itself. */
export interface AnswerFacts extends AnswerIdentity {
  readonly usage: Usage
  /** Of the first choice that has one. */
  readonly finishReason: string | undefined
  /** Whether any choice calls a tool. */
  readonly toolCalls: boolean
}

/** Reads a whole answer. Of what is not a JSON object nothing is known, and no tool was called. */
export const readAnswer = ({ inAnswer }: AnswerShape, answer: JsonObject = {}): AnswerFacts => {
  const all = answer["choices"]
  const choices = Array.isArray(all) ? all.filter(isJsonObject) : []
  const { responseId, serviceTier } = identityOf(answer)
  return {
    responseId,
    serviceTier,
    usage: readUsage(answer["usage"]),
    finishReason: choices.map(finishReasonOf).find((reason) => reason !== undefined),
    toolCalls: choices.some((choice) => callsTool(holderOf(choice, inAnswer))),
  }
}
