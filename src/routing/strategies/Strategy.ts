/** The contract of a strategy: how the upstreams that serve a model are put in order, and how people are told of it. */
import type { Draws } from "../Draws.ts"
import type { Upstream } from "../Upstream.ts"

/** Requests in flight at the upstream of that name. */
export type Load = (upstreamName: string) => number

/** What an order may depend on beside the upstreams themselves. */
export interface Circumstances {
  readonly draws: Draws
  readonly load: Load
  /** The conversation's leading content; asked for only where the order depends on it. */
  readonly affinity: () => string
}

export interface StrategyRow {
  /** All of `upstreams`, which are several, in the order to try them; those of weight 0 after all others. */
  readonly order: (
    upstreams: ReadonlyArray<Upstream>,
    circumstances: Circumstances,
  ) => ReadonlyArray<Upstream>
  /**
   * Who stands first. `sharesOf`: each by its part of the weights, of all requests or of all conversations, one of which keeps its order. `whoever`: in
   * words, where only the moment tells.
   */
  readonly first: { readonly sharesOf: "requests" | "conversations" } | { readonly whoever: string }
  /** What it does, for the reference of the configuration; the strategy's name stands before it. */
  readonly meaning: string
  /** What `explain` says of it, for a prompt that decides the order or for any. */
  readonly explained: { readonly anyPrompt: string; readonly thisPrompt: string }
}
