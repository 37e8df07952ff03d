/** The tables of docs/dialects.md: samples, each put through the forms as a request is on its way, so that they say what is done and not what was meant. */
import * as Either from "effect/Either"
import type { Finish, NeutralAnswer } from "../../src/dialects/Answer.ts"
import { eventsOf } from "../../src/dialects/AnswerParts.ts"
import { forms } from "../../src/dialects/Forms.ts"
import { abilitiesOf } from "../../src/dialects/KnownModels.ts"
import { type Dialect, dialects } from "../../src/routing/Dialect.ts"
import type { ModelAbilities } from "../../src/routing/ModelAbilities.ts"
import type { Json, JsonObject } from "../../src/wire/Json.ts"
import { isJsonObject } from "../../src/wire/Json.ts"
import { askedFor, writeFor } from "./Abilities.ts"
import { objectsOf } from "./EventsOf.ts"
import { answers, parts, settings } from "./TableSamples.ts"

/** JSON with its names as they are read. */
const inline = (value: Json): string =>
  JSON.stringify(value).replace(/(,?)"([a-z]\w*)":/gi, (_, comma: string, name: string) =>
    comma === "" ? `${name}: ` : `, ${name}: `,
  )

/** What stands round a part and says nothing. */
const isAround = (item: Json): boolean =>
  /^\{.*"role":"user".*"(?:Hi|And\?)".*\}$/.test(JSON.stringify(item).slice(0, 90))

/** Of turns only those that are looked at. */
const shown = (name: string, value: Json): Json => {
  if (!Array.isArray(value) || (name !== "messages" && name !== "input")) return value
  const left = value.filter((item) => !isAround(item))
  return left.length === 0 ? value : left
}

const code = (text: string): string => `\`${text.replaceAll("|", "\\|").replaceAll("\n", " ")}\``

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n")

const membersIn = (members: JsonObject): string =>
  Object.entries(members)
    .map(([name, value]) => code(`${name}: ${inline(shown(name, value ?? null))}`))
    .join(", ")

const bodyOf: { readonly [D in Dialect]: JsonObject } = {
  chat: { model: "m", messages: [{ role: "user", content: "Hi" }] },
  responses: { model: "m", input: "Hi" },
  messages: { model: "m", max_tokens: 4096, messages: [{ role: "user", content: "Hi" }] },
}

/** What another dialect is told of a request, beside what it is told of one without the sample. */
const toldIn = (from: Dialect, to: Dialect, sample: JsonObject): string => {
  const read = forms[from].readRequest({ ...bodyOf[from], ...sample })
  if (Either.isLeft(read)) return `refused (${code(read.left.param ?? "")})`
  const { body, losses } = forms[to].writeRequest(read.right, writeFor({ freeFormTools: to !== "messages" }))
  const fatal = losses.find(({ isEssential }) => isEssential)
  if (fatal !== undefined) return `refused (${code(fatal.as)})`
  const plain = Either.getOrThrow(forms[from].readRequest(bodyOf[from]))
  const before = forms[to].writeRequest(plain, writeFor()).body
  const told = Object.fromEntries(
    Object.entries(body).filter(
      ([name, value]) =>
        JSON.stringify(value) !== JSON.stringify(before[name]) &&
        !(Array.isArray(value) && value.length > 0 && value.every(isAround)),
    ),
  )
  const lost = losses.map(({ as }) => code(as)).join(", ")
  return (
    [membersIn(told), ...(lost === "" ? [] : [`dropped: ${lost}`])].filter((one) => one !== "").join("; ") ||
    "–"
  )
}

const requestTable = (from: Dialect, samples: ReadonlyArray<JsonObject>): string => {
  const others = dialects.filter((dialect) => dialect !== from)
  return table(
    [`the caller says in ${from}`, ...others.map((to) => `Sluice says in ${to}`)],
    samples.map((sample) => [membersIn(sample), ...others.map((to) => toldIn(from, to, sample))]),
  )
}

const textAnswer: NeutralAnswer = {
  id: "1",
  model: "m",
  createdAt: 1_780_000_000,
  serviceTier: undefined,
  parts: [
    { kind: "reasoning", texts: ["Hm."] },
    { kind: "text", text: "Hello" },
    { kind: "tool_call", id: "call_1", name: "look", input: '{"at":"Bern"}', isFreeForm: false },
  ],
  finish: { kind: "tool_calls" },
  counts: {
    inputTokens: 100,
    outputTokens: 20,
    totalTokens: 120,
    cachedTokens: 60,
    reasoningTokens: 5,
    cacheWriteTokens: 10,
    audioTokens: undefined,
    imageTokens: undefined,
    searchUnits: undefined,
    audioSeconds: undefined,
    images: undefined,
  },
}

const finishes: ReadonlyArray<readonly [meaning: string, finish: Finish]> = [
  ["it came to its end", { kind: "stop" }],
  ["at a stop word", { kind: "stop_word", word: "END" }],
  ["it was too long", { kind: "length" }],
  ["it calls tools", { kind: "tool_calls" }],
  ["it was refused", { kind: "refused" }],
]

const firstOf = (value: Json | undefined): JsonObject => {
  const first = Array.isArray(value) ? value[0] : undefined
  return isJsonObject(first) ? first : {}
}

const only = (object: JsonObject, ...names: ReadonlyArray<string>): JsonObject =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = object[name]
      return value === undefined || value === null ? [] : [[name, value] as const]
    }),
  )

/** How an answer says why it ended. */
const endIn = (dialect: Dialect, finish: Finish): JsonObject => {
  const said: NeutralAnswer = {
    ...textAnswer,
    parts: finish.kind === "tool_calls" ? textAnswer.parts : textAnswer.parts.slice(0, 2),
    finish,
  }
  const answer = forms[dialect].writeAnswer(said, askedFor)
  return dialect === "chat"
    ? only(firstOf(answer["choices"]), "finish_reason")
    : only(answer, "stop_reason", "stop_sequence", "status", "incomplete_details")
}

const finishTable = (): string =>
  table(
    ["the answer", ...dialects],
    finishes.map(([meaning, finish]) => [meaning, ...dialects.map((to) => membersIn(endIn(to, finish)))]),
  )

const usageTable = (): string =>
  table(dialects, [
    dialects.map((to) => membersIn(only(forms[to].writeAnswer(textAnswer, askedFor), "usage"))),
  ])

const contentIn = (dialect: Dialect, answer: JsonObject): JsonObject =>
  dialect === "chat"
    ? only(firstOf(answer["choices"]), "message")
    : only(answer, dialect === "messages" ? "content" : "output")

/** A part of an answer as each caller is told it. */
const answerTable = (): string =>
  table(
    ["a client says", ...dialects.map((to) => `a caller of ${to} reads`)],
    answers.map(([from, body]) => {
      const read = forms[from].readAnswer(body)
      return [
        `${membersIn(contentIn(from, body))} (${from})`,
        ...dialects.map((to) =>
          to === from || read === undefined
            ? "the same bytes"
            : membersIn(contentIn(to, forms[to].writeAnswer(read, askedFor))),
        ),
      ]
    }),
  )

const nameOf = (event: JsonObject | "[DONE]"): string => {
  if (event === "[DONE]") return event
  const { delta } = firstOf(event["choices"])
  if (isJsonObject(delta)) {
    const { finish_reason: ended } = firstOf(event["choices"])
    return typeof ended === "string" ? "finish_reason" : `delta.${Object.keys(delta).join("+") || "role"}`
  }
  const inner = event["delta"]
  const kind = isJsonObject(inner) && typeof inner["type"] === "string" ? ` (${inner["type"]})` : ""
  return `${String(event["type"] ?? "usage")}${kind}`
}

const eventTable = (): string =>
  table(
    ["dialect", "its events, of an answer that thinks, says a text and calls a tool"],
    dialects.map((to) => {
      const writing = forms[to].writeEvents(askedFor)
      const events = [...writing.take(eventsOf(textAnswer)), ...writing.rest()]
      const names = objectsOf(events).map(nameOf)
      return [
        to,
        names
          .filter((name, at) => name !== names[at - 1])
          .map(code)
          .join(" "),
      ]
    }),
  )

const models = [
  "claude-3-7-sonnet",
  "claude-sonnet-4-5",
  "claude-sonnet-4-6",
  "claude-opus-4-7",
  "claude-opus-4-8",
  "claude-sonnet-5",
  "claude-haiku-5-5",
  "claude-opus-5-5",
  "gpt-4o",
  "o3",
  "gpt-5",
  "gpt-5.1",
  "gpt-6",
  "gpt-oss-120b",
  "gemini-3-pro",
  "deepseek-chat",
  "qwen3-coder",
]

const abilityColumns: ReadonlyArray<readonly [name: string, member: keyof ModelAbilities]> = [
  ["sampling", "sampling"],
  ["top_k", "topK"],
  ["thinking", "thinking"],
  ["thinks", "thinks"],
  ["efforts", "efforts"],
  ["prefill", "prefill"],
  ["forced_tools", "forcedTools"],
  ["free_form_tools", "freeFormTools"],
  ["schemas", "schemas"],
  ["later_instructions", "laterInstructions"],
  ["most_stops", "mostStops"],
  ["max_output", "maxOutput"],
  ["reasoning_history", "reasoningHistory"],
]

const abilityTable = (): string =>
  table(
    ["model", ...abilityColumns.map(([name]) => code(name))],
    models.map((model) => {
      const abilities = abilitiesOf(model)
      return [
        model,
        ...abilityColumns.map(([, member]) => {
          const value = abilities[member]
          return Array.isArray(value) ? value.join(" ") || "–" : String(value ?? "–")
        }),
      ]
    }),
  )

/** The tables by their names in the page. */
export const dialectTables = (): ReadonlyMap<string, string> =>
  new Map([
    ...dialects.flatMap((from) => [
      [`settings of ${from}`, requestTable(from, settings[from])] as const,
      [`parts of ${from}`, requestTable(from, parts[from])] as const,
    ]),
    ["answers", answerTable()],
    ["finish", finishTable()],
    ["usage", usageTable()],
    ["events", eventTable()],
    ["models", abilityTable()],
  ])
