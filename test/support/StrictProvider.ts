/**
 * Providers of one dialect each that are as strict as the real ones: they refuse members that they do not know, results without their calls, reasoning
 * that comes back without its seal, and pictures that cannot be read. What they say is the same in each: a few steps with tools, then a text.
 */
import type { Dialect } from "../../src/routing/Dialect.ts"
import type { JsonObject } from "../../src/wire/Json.ts"
import { chat } from "./StrictChat.ts"
import { messages } from "./StrictMessages.ts"
import { responses } from "./StrictResponses.ts"
import { counted, isSame, type Members, object, type Speech, type Step, type Steps } from "./StrictSpeech.ts"

export { counted, picture, type Step, type Steps, schema } from "./StrictSpeech.ts"

/** The first of them. */
export const firstStep: Step = {
  reasoning: "Two places.",
  text: "I look.",
  calls: [
    { id: "call_a", name: "weather", args: '{"city":"Zürich"}' },
    { id: "call_b", name: "weather", args: '{"city":"Bern","days":2}' },
  ],
}

export const steps: Steps = new Map([
  [0, firstStep],
  [2, { reasoning: "And now?", text: "", calls: [{ id: "call_c", name: "time", args: "{}" }] }],
  [3, { reasoning: "All is known.", text: "It rains.", calls: [] }],
])

/** What is said where a form is asked for. */
const formed: Step = { reasoning: "", text: '{"answer":42}', calls: [] }

const speeches: { readonly [D in Dialect]: Speech } = { chat, responses, messages }

/** What a provider of a dialect has to say of a request at a path: a status, and a whole body or the frames of a stream. */
export interface Reply {
  readonly status: number
  readonly body: Members
  readonly frames: ReadonlyArray<string> | undefined
}

export interface Strictness {
  /** The program is one that does not send back what it does not know. */
  readonly mayForgetSeals?: boolean
  /** What is said instead of `steps`. */
  readonly said?: Steps
}

const replyIn = (
  speech: Speech,
  body: JsonObject,
  { mayForgetSeals = false, said = steps }: Strictness,
): Reply => {
  const refusal = (message: string): Reply => ({
    status: 400,
    body: speech.error("invalid_request_error", message),
    frames: undefined,
  })
  const unknown = Object.keys(body).find((name) => !speech.known.includes(name))
  if (unknown !== undefined) return refusal(`unknown parameter ${unknown}`)
  const { given, isFormed, problem, reasons, results, seals } = speech.understood(body, said)
  const step = isFormed ? formed : said.get(results)
  if (problem !== undefined) return refusal(problem)
  const areForgotten = mayForgetSeals && seals.length === 0
  if (!areForgotten && !isSame(seals, given))
    return refusal(`the seals are ${JSON.stringify(seals)}, not ${JSON.stringify(given)}`)
  if (step === undefined) return refusal(`nothing is to be said to ${results} results`)
  const whole = speech.whole(reasons ? step : { ...step, reasoning: "" }, results, String(body["model"]))
  return { status: 200, body: whole, frames: body["stream"] === true ? speech.frames(whole) : undefined }
}

/** The reply of a provider that speaks one dialect alone. */
export const strictReply = (
  dialect: Dialect,
  path: string,
  body: unknown,
  strictness: Strictness = {},
): Reply => {
  const speech = speeches[dialect]
  return path.split("?")[0] === speech.path
    ? replyIn(speech, object(body), strictness)
    : { status: 404, body: { detail: "Not Found" }, frames: undefined }
}

/** An error as a provider of a dialect tells it. */
export const strictError = (dialect: Dialect, type: string, message: string): Members =>
  speeches[dialect].error(type, message)

/** What a program is told of all steps, whoever speaks. */
export const toldOfAll = {
  reasoning: [...steps.values()].map(({ reasoning }) => reasoning),
  texts: [...steps.values()].flatMap(({ text }) => (text === "" ? [] : [text])),
  calls: [...steps.values()].flatMap(({ calls }) =>
    calls.map(({ args, name }): readonly [string, unknown] => [name, JSON.parse(args)]),
  ),
  counts: [...steps.values()].map(() => counted),
}

/** One of its steps as a provider of a dialect says it at once. */
export const strictWhole = (dialect: Dialect, step: Step): Members => speeches[dialect].whole(step, 0, "m")

/** The frames in which a provider of a dialect streams one of its steps. */
export const strictFrames = (dialect: Dialect, step: Step): ReadonlyArray<string> =>
  speeches[dialect].frames(strictWhole(dialect, step))
