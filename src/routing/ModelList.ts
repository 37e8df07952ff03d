/** The models this gateway serves: what upstreams list and their match admits, and the exact names of the configuration. */
import { isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
import { matches } from "./Route.ts"
import type { Upstream } from "./Upstream.ts"

/** An entry of OpenAI's model list: what its SDKs read, and a few members of others by which clients know how much a model takes. */
export interface Model extends JsonObject {
  readonly id: string
  readonly object: "model"
  readonly created: number
  readonly owned_by: string
}

/** More than any provider lists; keeps a hostile list from growing the cache. */
const maxModels = 10_000

/** A longer text is no name; not clipped, since of a text that is cut off the whole stays in memory. */
const longestId = 512
const longestText = 200

/** Members that clients of OpenRouter, vLLM and Groq read, kept where they are a number or a short text. */
const furtherMembers = [
  "name",
  "context_length",
  "context_window",
  "max_model_len",
  "max_input_tokens",
  "max_tokens",
]

const isShort = (value: Json | undefined): value is number | string =>
  typeof value === "number" || (typeof value === "string" && value.length <= longestText)

/** What an entry takes in memory, about: its object, and two bytes for a character at most. */
const entryBytes = 160

/** What a list takes in memory, about. */
export const bytesOf = (models: ReadonlyArray<Model>): number => {
  let bytes = 0
  for (const model of models) {
    bytes += entryBytes
    for (const name in model) {
      const value = model[name]
      if (typeof value === "string") bytes += 2 * value.length
    }
  }
  return bytes
}

/** Where the entries are: under `data` as OpenAI has them, under `models` as Ollama does, or bare, as Together sends them. */
const entriesOf = (answer: unknown): ReadonlyArray<unknown> | undefined => {
  if (Array.isArray(answer)) return answer
  if (!isJsonObject(answer)) return undefined
  const { data, models } = answer
  return Array.isArray(data) ? data : Array.isArray(models) ? models : undefined
}

const idOf = ({ id, model, name }: JsonObject): string | undefined =>
  [id, name, model].find((one): one is string => typeof one === "string" && one !== "")

/**
 * The entries of an upstream's `GET /models` answer, or `undefined` where it is not a list. Entries without an id are left out;
 * members that OpenAI's SDKs read are filled in where they are missing, and few others are kept: a list may be of megabytes, and one is kept for each
 * credential.
 */
export const readModels = (answer: unknown, ownedBy: string): ReadonlyArray<Model> | undefined => {
  const entries = entriesOf(answer)
  if (entries === undefined) return undefined
  const models: Array<Model> = []
  for (const entry of entries.slice(0, maxModels)) {
    const members = typeof entry === "string" ? { id: entry } : entry
    const id = isJsonObject(members) ? idOf(members) : undefined
    if (isJsonObject(members) && id !== undefined && id.length <= longestId) {
      models.push(modelOf(id, members, ownedBy))
    }
  }
  return models
}

/** When a model was made, in epoch seconds: Anthropic says it as a date. */
const createdOf = ({ created, created_at: date }: JsonObject): number => {
  if (typeof created === "number") return created
  const made = typeof date === "string" && date.length <= longestText ? Date.parse(date) : Number.NaN
  return Number.isNaN(made) || made < 0 ? 0 : Math.floor(made / 1000)
}

const modelOf = (id: string, members: JsonObject, ownedBy: string): Model => {
  const { display_name: shown, owned_by: owner } = members
  const model: Record<string, number | string> = {}
  if (isShort(shown)) model["name"] = shown
  for (const name of furtherMembers) {
    const value = members[name]
    if (isShort(value)) model[name] = value
  }
  return {
    ...model,
    id,
    object: "model",
    created: createdOf(members),
    owned_by: typeof owner === "string" && owner.length <= longestText ? owner : ownedBy,
  }
}

/** The id behind which a list of Anthropic's goes on, where there is more of it. */
export const nextPageOf = (answer: JsonObject | undefined): string | undefined => {
  const { has_more: more, last_id: last } = answer ?? {}
  return more === true && typeof last === "string" && last !== "" && last.length <= longestId
    ? last
    : undefined
}

/** One upstream and what it listed. */
export interface Listing {
  readonly upstream: Upstream
  readonly models: ReadonlyArray<Model>
}

/** The union in the order of the configuration, each id once; of two upstreams listing one id, the first is quoted. */
export const union = (listings: ReadonlyArray<Listing>): ReadonlyArray<Model> => {
  const byId = new Map<string, Model>()
  for (const { models, upstream } of listings) {
    for (const model of models) {
      if (!byId.has(model.id) && matches(upstream, model.id)) byId.set(model.id, model)
    }
    if (upstream.match.type === "exact") {
      for (const id of upstream.match.values) {
        if (!byId.has(id)) byId.set(id, { id, object: "model", created: 0, owned_by: upstream.name })
      }
    }
  }
  return [...byId.values()]
}
