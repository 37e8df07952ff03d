/**
 * undici's agents, a pair for each connect timeout and proxy, since undici sets those per agent; an agent drops the pools of origins no longer called.
 */
import * as Redacted from "effect/Redacted"
import type { Agent } from "undici"
import type { Upstream } from "../../routing/Upstream.ts"
import { makeAgent } from "./Connections.ts"
import type { StaleConnections } from "./StaleConnections.ts"

/** Below the 30 s and more after which balancers drop idle connections, so that few pooled connections are stale. */
const keepAliveMs = 15_000

/** Where calls go first, and where one goes whose pooled connection was dead. */
interface AgentPair {
  readonly pooled: Agent
  readonly fresh: Agent
}

const keyOf = ({ proxy, timeouts }: Upstream): string => {
  const credentials = proxy?.authorization === undefined ? "" : Redacted.value(proxy.authorization)
  return `${timeouts.connectMs} ${proxy?.shown ?? ""} ${credentials}`
}

/** Mutable on purpose: the connections of a process. */
export class Agents {
  readonly #stale: StaleConnections
  readonly #byKey = new Map<string, AgentPair>()
  /** So that a call computes no key. */
  readonly #found = new WeakMap<Upstream, AgentPair>()

  constructor(stale: StaleConnections) {
    this.#stale = stale
  }

  of(upstream: Upstream): AgentPair {
    const known = this.#found.get(upstream)
    if (known !== undefined) return known
    const key = keyOf(upstream)
    const pair = this.#byKey.get(key) ?? this.#make(upstream)
    this.#byKey.set(key, pair)
    this.#found.set(upstream, pair)
    return pair
  }

  #make({ proxy, timeouts: { connectMs } }: Upstream): AgentPair {
    return {
      pooled: makeAgent(connectMs, keepAliveMs, this.#stale, proxy),
      fresh: makeAgent(connectMs, 1, this.#stale, proxy),
    }
  }

  /** Ends every call and closes every connection. */
  async destroy(): Promise<void> {
    const all = [...this.#byKey.values()].flatMap(({ fresh, pooled }) => [fresh, pooled])
    await Promise.all(all.map((agent) => agent.destroy()))
  }
}
