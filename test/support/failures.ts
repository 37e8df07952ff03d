/** Failed attempts of every kind, for the tests of what follows them. */
import * as Redacted from "effect/Redacted"
import fc from "fast-check"
import { Secrets } from "../../src/secrets/Secrets.ts"
import { AttemptFailure, refusedBy, toldFailure } from "../../src/upstream/policy/AttemptFailure.ts"
import type { Failed } from "../../src/upstream/policy/LastError.ts"
import { makeUpstream } from "./arbitraries.ts"

export const refused = (
  status: number,
  retryAfter?: number,
  body = "{}",
  headers: Readonly<Record<string, string>> = {},
) => refusedBy({ status, headers, retryAfterMs: retryAfter }, new TextEncoder().encode(body))

export const saying = (status: number, message: string) =>
  refused(status, undefined, JSON.stringify({ error: { message } }))

export const timedOut = AttemptFailure.TimedOut({ phase: "first_byte", afterMs: 60_000 })
export const unreachable = AttemptFailure.ConnectFailed({ reason: "ECONNREFUSED" })

export const noPlace = AttemptFailure.NoRoom({ lacks: "place", reason: "is busy" })
export const noMemory = AttemptFailure.NoRoom({ lacks: "memory", reason: "no memory left for its answer" })

export const failed = (name: string, failure: AttemptFailure, apiKey?: string): Failed => ({
  target: {
    upstream: makeUpstream({ name, apiKey: apiKey === undefined ? undefined : Redacted.make(apiKey) }),
    upstreamModel: "m",
  },
  failure: toldFailure(failure, new Secrets(apiKey === undefined ? [] : [apiKey])),
})

export const failureArb: fc.Arbitrary<AttemptFailure> = fc.oneof(
  fc.constant(timedOut),
  fc.constant(unreachable),
  fc.constant(AttemptFailure.BrokenOff({ reason: "ECONNRESET" })),
  fc.constant(noPlace),
  fc
    .tuple(
      fc.integer({ min: 300, max: 599 }),
      fc.option(fc.integer({ min: -5, max: 100_000 }), { nil: undefined }),
    )
    .map(([status, after]) => refused(status, after)),
)
