/** The configuration in force as the request's way reads it: immutable, whole, with what routing needs computed beforehand. */
import type { KeyRing } from "../access/AccessKey.ts"
import type { ProxyTrust } from "../access/ClientAddress.ts"
import type { Origins } from "../access/WebPage.ts"
import type { ThinkingPolicy } from "../answer/ChoiceTransform.ts"
import type { AuditPolicy } from "../audit/record/AuditPolicy.ts"
import type { RoutingTable } from "../routing/Route.ts"
import type { Strategy } from "../routing/Selection.ts"
import type { Secrets } from "../secrets/Secrets.ts"
import type { BreakerPolicy } from "../upstream/policy/Breaker.ts"
import type { RetryPolicy } from "../upstream/policy/Retry.ts"

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

export interface Snapshot extends ThinkingPolicy {
  /** 1 for the configuration the process started with; each replacement adds 1. */
  readonly generation: number
  /** Epoch milliseconds. */
  readonly loadedAt: number
  readonly routes: RoutingTable
  readonly strategy: Strategy
  /** Which clients get the usage of a stream. */
  readonly givesUsage: "asked" | "always"
  /** When a streamed answer begins towards its client: when an upstream has begun to say something, or before any is asked. */
  readonly streamStart: "first_event" | "at_once"
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
