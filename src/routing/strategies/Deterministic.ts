/**
 * `deterministic`: weighted rendezvous hashing of name and conversation. An upstream's place depends on nothing but its own name and
 * weight, so removing one moves only what it had, and the order holds across restarts and machines.
 */
import { type Bits64, hash64, splitMix64 } from "../Hash.ts"
import { arrival, inOrder, isStandby, rateOf } from "./Race.ts"
import type { StrategyRow } from "./Strategy.ts"

/** A number in [0, 1) from an upstream's name and the hash of a conversation, every bit of which depends on all of both. */
const rendezvous = (name: string, conversation: Bits64): number => {
  const own = hash64(name)
  return splitMix64({ high: own.high ^ conversation.high, low: own.low ^ conversation.low }, 0)
}

export const deterministic: StrategyRow = {
  order: (upstreams, { affinity }) => {
    const conversation = hash64(affinity())
    return inOrder(
      upstreams.map((upstream) => ({
        upstream,
        standby: isStandby(upstream),
        key: arrival(rendezvous(upstream.name, conversation), rateOf(upstream)),
        tieBreak: 0,
      })),
    )
  },
  first: { sharesOf: "conversations" },
  meaning: "sends the same conversation to the same client, so that its prefix cache is warm",
  explained: {
    anyPrompt: "a conversation keeps its order, share = of all conversations",
    thisPrompt: "the order for this prompt, share = of all conversations",
  },
}
