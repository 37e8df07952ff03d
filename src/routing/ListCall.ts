/** How an upstream is asked for its list of models. */
import { pathAt, type Upstream } from "./Upstream.ts"

/** The list of an upstream, and what is asked of it. */
export interface ListCall {
  readonly path: string
  readonly query: string | undefined
}

const listOfModels = { name: "models", paths: ["/models"] } as const

/** As who an upstream is asked: Anthropic answers nobody without its headers, which others pass over. */
export const askedAs = ({ dialects }: Pick<Upstream, "dialects">): "anthropic" | "openai" =>
  dialects.includes("messages") ? "anthropic" : "openai"

/** Anthropic's list is not to be had as a whole: each page is as long as it may be. */
const pageBehind = (after: string | undefined): string =>
  after === undefined ? "limit=1000" : `limit=1000&after_id=${encodeURIComponent(after)}`

/** @param after the model behind which the list goes on */
export const listCallOf = (upstream: Pick<Upstream, "dialects" | "paths">, after?: string): ListCall => ({
  path: pathAt(upstream, listOfModels),
  query: askedAs(upstream) === "anthropic" ? pageBehind(after) : undefined,
})
