/** All processes that serve together, this one included: whom `/health` speaks for. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Audit, type AuditStatus } from "../audit/Audit.ts"
import type { ProcessHealth } from "./ProcessHealth.ts"

export interface FleetStatus {
  readonly health: ProcessHealth
  readonly audit: AuditStatus
  /** When the first of them began, in epoch milliseconds, where that was before this one did. */
  readonly startedAt?: number
  /** How many processes it is of. */
  readonly workers: number
}

export class Fleet extends Context.Tag("sluice/Fleet")<
  Fleet,
  { readonly status: Effect.Effect<FleetStatus> }
>() {}

/**
 * This process alone.
 *
 * @param own what it says of itself, whenever it is asked
 */
export const layerAlone = <R>(
  own: Effect.Effect<Effect.Effect<ProcessHealth>, never, R>,
): Layer.Layer<Fleet, never, Audit | R> =>
  Layer.effect(
    Fleet,
    Effect.map(Effect.all({ audit: Audit, health: own }), ({ audit, health }) => ({
      status: Effect.all({ health, audit: audit.status, workers: Effect.succeed(1) }),
    })),
  )
