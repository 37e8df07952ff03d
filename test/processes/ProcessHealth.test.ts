import { describe, expect, it } from "@effect/vitest"
import fc from "fast-check"
import { fleetStatus, type ProcessHealth, together } from "../../src/processes/ProcessHealth.ts"

const upstream = (name: string) =>
  fc.record({
    name: fc.constant(name),
    dialects: fc.subarray(["chat", "responses", "messages"]),
    lacks: fc.uniqueArray(
      fc.record({
        dialect: fc.constantFrom("responses", "messages"),
        answered: fc.constant(404),
        until: fc.constantFrom("2026-11-22T17:35:00.123Z", "2026-11-22T18:35:00.123Z"),
      }),
      { selector: ({ dialect }) => dialect },
    ),
    state: fc.constantFrom("closed" as const, "open" as const, "half_open" as const),
    reason: fc.constantFrom(null, "failures"),
    failures: fc.constantFrom(null, 0, 3),
    probe_at: fc.constantFrom(null, "2026-11-22T17:35:00.123Z"),
    since: fc.constant(null),
    openings_total: fc.nat(9),
    in_flight: fc.nat(9),
    waiting: fc.nat(9),
    models: fc.uniqueArray(
      fc.record({
        model: fc.constantFrom("m", "n"),
        state: fc.constantFrom("open" as const, "half_open" as const),
        reason: fc.constant("rate_limited"),
        probe_at: fc.constantFrom(null, "2026-11-22T17:35:00.123Z"),
      }),
      { selector: ({ model }) => model },
    ),
  })

const health: fc.Arbitrary<ProcessHealth> = fc.record({
  config: fc.record({
    generation: fc.integer({ min: 1, max: 3 }),
    loaded_at: fc.constant("2026-11-22T17:35:00.123Z"),
    last_error: fc.constantFrom(null, "wrong"),
  }),
  log: fc.record({ dropped: fc.nat(9) }),
  requests: fc.record({ in_flight: fc.nat(9), buffered_bytes: fc.nat(9) }),
  connections: fc.record({ open: fc.nat(9), displaced: fc.nat(9), refused: fc.nat(9) }),
  strangers: fc.record({ turned_away: fc.nat(9), unrecorded: fc.nat(9) }),
  upstreams: fc.tuple(upstream("a"), upstream("b")),
})

const some = fc.array(health, { minLength: 1, maxLength: 5 })

const of = ([first, ...others]: ReadonlyArray<ProcessHealth>) =>
  first === undefined ? undefined : together(first, ...others)

const sum = (values: ReadonlyArray<number>) => values.reduce((total, value) => total + value, 0)

describe("The health of several processes", () => {
  it("law: of one is its own", () => {
    fc.assert(
      fc.property(health, (one) => {
        expect(together(one)).toEqual(one)
      }),
    )
  })

  it("law: adds up counts, takes an upstream for the worst and the configuration for the oldest", () => {
    fc.assert(
      fc.property(some, (all) => {
        const as = of(all)
        expect(as?.requests.in_flight).toBe(sum(all.map(({ requests }) => requests.in_flight)))
        expect(as?.connections.refused).toBe(sum(all.map(({ connections }) => connections.refused)))
        expect(as?.strangers.unrecorded).toBe(sum(all.map(({ strangers }) => strangers.unrecorded)))
        expect(as?.log.dropped).toBe(sum(all.map(({ log }) => log.dropped)))
        expect(as?.config.generation).toBe(Math.min(...all.map(({ config }) => config.generation)))
        expect(as?.config.last_error === null).toBe(all.every(({ config }) => config.last_error === null))
        for (const [at, name] of ["a", "b"].entries()) {
          const seen = all.flatMap(({ upstreams }) => upstreams[at] ?? [])
          const one = as?.upstreams[at]
          expect(one?.name).toBe(name)
          for (const dialect of ["chat", "responses", "messages"]) {
            expect(one?.dialects.includes(dialect)).toBe(
              seen.every(({ dialects }) => dialects.includes(dialect)),
            )
          }
          expect(one?.in_flight).toBe(sum(seen.map(({ in_flight }) => in_flight)))
          expect(one?.openings_total).toBe(sum(seen.map(({ openings_total }) => openings_total)))
          const models = seen.flatMap((upstream) => upstream.models)
          expect(new Set(one?.models.map(({ model }) => model))).toEqual(
            new Set(models.map(({ model }) => model)),
          )
          for (const { model, state } of one?.models ?? []) {
            const all = models.filter((other) => other.model === model)
            expect(state).toBe(all.some((other) => other.state === "open") ? "open" : "half_open")
          }
          const states = seen.map(({ state }) => state)
          expect(one?.state).toBe(
            states.includes("open") ? "open" : states.includes("half_open") ? "half_open" : "closed",
          )
        }
      }),
    )
  })
})

describe("The status of all processes", () => {
  const audit = { queued: 1, spilled: 2, lost: 3 }

  it("counts those that serve, adds up the audit and begins with the first", () => {
    fc.assert(
      fc.property(some, fc.nat(9), (all, startedAt) => {
        const answers = all.map((health, at) => ({ health, audit, startedAt: startedAt + at + 1 }))
        expect(fleetStatus([{ health: undefined, audit, startedAt }, ...answers])).toEqual({
          health: of(all),
          audit: { queued: all.length + 1, spilled: 2 * (all.length + 1), lost: 3 * (all.length + 1) },
          startedAt,
          workers: all.length,
        })
      }),
    )
  })

  it("is none where nobody answered that serves", () => {
    expect(fleetStatus([{ health: undefined, audit, startedAt: 1 }])).toBeUndefined()
  })
})
