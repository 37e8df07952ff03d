/** The models this gateway serves: what upstreams list and their match admits, and the exact names of the configuration. */
import { isJsonObject, type JsonObject } from "./Json.ts"
import { matches } from "./Route.ts"
import type { Upstream } from "./Upstream.ts"

/** An entry of OpenAI's model list, other members preserved. */
export interface Model extends JsonObject {
  readonly id: string
}

/** More than any provider lists; keeps a hostile list from growing the cache. */
const maxModels = 10_000

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
 * members that OpenAI's SDKs read are filled in where they are missing.
 */
export const readModels = (answer: unknown, ownedBy: string): ReadonlyArray<Model> | undefined => {
  const entries = entriesOf(answer)
  if (entries === undefined) return undefined
  const models: Array<Model> = []
  for (const entry of entries.slice(0, maxModels)) {
    const members = typeof entry === "string" ? { id: entry } : entry
    const id = isJsonObject(members) ? idOf(members) : undefined
    if (isJsonObject(members) && id !== undefined) {
      models.push({ object: "model", created: 0, owned_by: ownedBy, ...members, id })
    }
  }
  return models
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
