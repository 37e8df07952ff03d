/** The configuration in force as the request's way reads it: immutable, whole, with what routing needs computed beforehand. */
import type { KeyRing } from "../access/AccessKey.ts"
import type { ServerLimits } from "../access/ServerLimits.ts"
import type { ThinkingPolicy } from "../answer/ChoiceTransform.ts"
import type { AuditPolicy } from "../audit/record/AuditPolicy.ts"
import type { PassthroughRule } from "../routing/Passthrough.ts"
import type { RoutingTable } from "../routing/Route.ts"
import type { Strategy } from "../routing/strategies/Strategies.ts"
import type { Secrets } from "../secrets/Secrets.ts"
import type { MetricsPolicy } from "../telemetry/metrics/MetricsPolicy.ts"
import type { BreakerPolicy } from "../upstream/policy/Breaker.ts"
import type { RetryPolicy } from "../upstream/policy/Retry.ts"

export interface AdminAddress {
  readonly host: string
  readonly port: number
}

export interface Snapshot extends ThinkingPolicy {
  /** 1 for the configuration the process started with; each replacement adds 1. */
  readonly generation: number
  /** Epoch milliseconds. */
  readonly loadedAt: number
  /** Tells this configuration from others (ConfigHash.ts). */
  readonly hash: string
  readonly routes: RoutingTable
  /** Further paths that are handed on. */
  readonly passthrough: ReadonlyArray<PassthroughRule>
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
  readonly metrics: MetricsPolicy
  /** Of operators, who are told what callers are not. */
  readonly adminKeys: KeyRing
  /** Where they ask, where that is not where callers do. */
  readonly adminAddress: AdminAddress | undefined
  /** Every credential of the configuration, to be taken out of what others say. */
  readonly secrets: Secrets
}
