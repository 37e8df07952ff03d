/** The configuration in force as the request's way reads it: immutable, whole, with what routing needs computed beforehand. */

import type { KeyRing } from "../access/AccessKey.ts"
import type { ProxyTrust } from "../access/ClientAddress.ts"
import type { Origins } from "../access/WebPage.ts"
import type { RoutingTable } from "../routing/Route.ts"
import type { ThinkingFormat } from "../routing/Upstream.ts"
import type { Secrets } from "../secrets/Secrets.ts"

/** How the upstreams that match a model are ordered; see docs/routing.md. */
export type Strategy = "random" | "deterministic" | "least_connections"

export interface RetryPolicy {
  /** How often the whole plan is walked, the first time included. */
  readonly rounds: number
  readonly baseDelayMs: number
  readonly maxDelayMs: number
  /** Whether an upstream's HTTP status is worth another target. */
  readonly retryOn: (status: number) => boolean
}

/** When an upstream that fails is set aside; see `Breaker`. */
export interface BreakerPolicy {
  /** How many transient failures in a row open the breaker; 0 leaves all breakers closed. */
  readonly failures: number
  /** Milliseconds until an upstream set aside is probed; doubled each time the probe fails. */
  readonly openMs: number
  /** The longest such wait, also for what `Retry-After` asks. */
  readonly maxOpenMs: number
}

export interface ServerLimits {
  readonly maxBodyBytes: number
  /** Requests under way at most; what comes beyond is turned away. */
  readonly maxInFlight: number
  /** The most that the bodies of all requests under way hold in memory together, in bytes. */
  readonly maxBufferedBytes: number
  /** Milliseconds a client may take nothing of its answer. */
  readonly sendMs: number
  /** Milliseconds a client may send nothing of its body, or less than the least pace allows. */
  readonly receiveMs: number
  /** Of clients, at once. */
  readonly maxConnections: number
  /** Of one address; 0 is no limit. */
  readonly maxConnectionsPerAddress: number
  /** Milliseconds one request may take as a whole, all its attempts and waits included. */
  readonly requestTimeoutMs: number
  /** None: everybody is served. */
  readonly accessKeys: KeyRing
  /** Whose word about the client's address is believed. */
  readonly trustProxy: ProxyTrust
  /** Whose pages may read answers. */
  readonly origins: Origins
}

export interface AuditPolicy {
  readonly bodies: "full" | "none"
  readonly maxBodyBytes: number
  /** 0 keeps for ever. */
  readonly retentionMonths: number
}

export interface Snapshot {
  /** 1 for the configuration the process started with; each replacement adds 1. */
  readonly generation: number
  /** Epoch milliseconds. */
  readonly loadedAt: number
  readonly routes: RoutingTable
  readonly strategy: Strategy
  readonly thinkingFormat: ThinkingFormat | undefined
  /** Which clients get the usage of a stream. */
  readonly givesUsage: "asked" | "always"
  /** When a streamed answer begins towards its client: when an upstream has begun to say something, or before any is asked. */
  readonly streamStart: "first_event" | "at_once"
  /** Keywords: a model containing one has its `<think>` removed where no thinking format is set. */
  readonly stripThinkModels: ReadonlyArray<string>
  readonly modelsCache: { readonly ttlSeconds: number }
  readonly retry: RetryPolicy
  readonly breaker: BreakerPolicy
  readonly server: ServerLimits
  readonly audit: AuditPolicy
  /** Of operators, who are told what callers are not. */
  readonly adminKeys: KeyRing
  /** Every credential of the configuration, to be taken out of what others say. */
  readonly secrets: Secrets
}
