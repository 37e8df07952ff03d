/** What strict providers of all dialects have in common: what they are asked, what they say, and how that is read. */
import { isJsonObject, type JsonObject } from "../../src/wire/Json.ts"

export type Members = Readonly<Record<string, unknown>>

export interface Call {
  readonly id: string
  readonly name: string
  readonly args: string
  /** Instead of them, of a tool that takes any text; where none is known, `args` hold it. */
  readonly text?: string
}

/** One answer of a provider. */
export interface Step {
  readonly reasoning: string
  readonly text: string
  readonly calls: ReadonlyArray<Call>
}

/** What is said, by how many results of tools the conversation holds. */
export type Steps = ReadonlyMap<number, Step>

/** A PNG of one pixel. */
export const picture =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

/** The schema that a form is asked for by. */
export const schema = {
  type: "object",
  properties: { answer: { type: "integer" } },
  required: ["answer"],
  additionalProperties: false,
} as const

/** What each answer is counted as, inclusively. */
export const counted = { input: 30, cached: 8, output: 12 }

export const objects = (value: unknown): ReadonlyArray<JsonObject> =>
  Array.isArray(value) ? value.filter(isJsonObject) : []

export const object = (value: unknown): JsonObject => (isJsonObject(value) ? value : {})

/** A request as its provider understands it, or why it does not. */
export interface Understood {
  readonly problem: string | undefined
  /** The seals of its reasoning that came back, and those that were given out. */
  readonly seals: ReadonlyArray<unknown>
  readonly given: ReadonlyArray<unknown>
  readonly results: number
  readonly reasons: boolean
  readonly isFormed: boolean
}

/** What providers of a dialect know and say. */
export interface Speech {
  readonly path: string
  readonly known: ReadonlyArray<string>
  readonly understood: (body: JsonObject, steps: Steps) => Understood
  readonly whole: (step: Step, place: number, model: string) => Members
  /** Each in a frame of its own. */
  readonly frames: (whole: Members) => ReadonlyArray<string>
  readonly error: (type: string, message: string) => Members
}

export const first = (problems: ReadonlyArray<string | false | undefined>): string | undefined =>
  problems.find((problem) => typeof problem === "string") || undefined

export const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** OpenAI's: nothing is said of tools that are not there, whom it is for is short, and stop words are few. */
export const openAiProblem = (body: JsonObject): string | undefined =>
  first([
    body["tools"] === undefined && body["tool_choice"] !== undefined && "'tool_choice' needs 'tools'",
    body["tools"] === undefined &&
      body["parallel_tool_calls"] !== undefined &&
      "'parallel_tool_calls' is only allowed when 'tools' are specified",
    String(body["user"] ?? body["safety_identifier"] ?? "").length > 64 && "the user is too long",
    Array.isArray(body["stop"]) && body["stop"].length > 4 && "there are too many stop words",
  ])

export const openAiError = (type: string, message: string): Members => ({
  error: { message, type, param: null, code: null },
})

export const halves = (text: unknown): ReadonlyArray<string> =>
  typeof text !== "string" || text === ""
    ? []
    : [text.slice(0, Math.ceil(text.length / 2)), text.slice(Math.ceil(text.length / 2))].filter(
        (one) => one !== "",
      )

/** The steps with reasoning that a conversation of so many results has behind it. */
export const placesBefore = (steps: Steps, results: number): ReadonlyArray<number> =>
  [...steps].flatMap(([place, { reasoning }]) => (place < results && reasoning !== "" ? [place] : []))
