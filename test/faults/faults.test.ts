/** What comes of every fault an upstream or a caller can have, and whether docs/reliability.md says so. `UPDATE_FAULTS=1` writes it there. */
import { readFileSync, writeFileSync } from "node:fs"
import { describe, expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { allOperations } from "../../src/operations/Operations.ts"
import { configuredKey } from "../support/GatewayConfig.ts"
import { callerFaults } from "./CallerFaults.ts"
import { CallerRun, layer as callerRun } from "./CallerRun.ts"
import { cases, ways } from "./Cases.ts"
import { outcomeOf } from "./Expectation.ts"
import { callersKey, FaultRun, layer as faultRun, healthyName } from "./FaultRun.ts"
import { sections } from "./Faults.ts"
import { renderTables, withTables } from "./FaultTable.ts"

const documentPath = "docs/reliability.md"

layer(Layer.merge(faultRun, callerRun), { timeout: "5 minutes", excludeTestServices: true })(
  "Of faults,",
  (it) => {
    for (const way of ways) {
      for (const { rows, title } of sections) {
        const faults = rows.flatMap((row) => row.faults).filter((fault) => fault[way] !== undefined)
        if (faults.length === 0) continue
        describe(`${title}, ${way}`, () => {
          for (const fault of faults) {
            const its = cases.filter((one) => one.fault === fault && one.way === way)
            it.effect(fault.name, () =>
              Effect.gen(function* () {
                const run = yield* FaultRun
                for (const one of its) {
                  const { complaints, firstAttempt: _, ...outcome } = run.observed(one)
                  const expected = outcomeOf(
                    one.side.expected,
                    one.company,
                    { ...one, healthy: healthyName },
                    (pattern) => expect.stringMatching(pattern),
                  )
                  expect([one.operation, one.company, outcome]).toEqual([
                    one.operation,
                    one.company,
                    fault.trustsAuthority ? { ...expected, audit: undefined } : expected,
                  ])
                  expect(complaints).toEqual([])
                }
              }),
            )
          }
        })
      }
    }

    describe("of a caller", () => {
      for (const { words } of callerFaults(() => Effect.void)) {
        it.effect(`who ${words}`, () =>
          Effect.gen(function* () {
            const one = (yield* CallerRun).find(([fault]) => fault.words === words)
            expect(one?.[1]).toEqual(one?.[0].expected)
          }),
        )
      }
    })

    it.effect("each operation meets some of them", () =>
      Effect.sync(() => {
        const met = new Set(cases.map(({ operation }) => operation))
        expect(allOperations.map(({ name }) => name).filter((name) => !met.has(name))).toEqual([])
      }),
    )

    it.effect("none shows a key to a caller or the audit, or is left unhandled", () =>
      Effect.gen(function* () {
        const { everything, unhandled } = yield* FaultRun
        expect(everything).toContain("fault-0-plain-alone")
        expect(everything).not.toContain(configuredKey)
        expect(everything).not.toContain(callersKey)
        expect(unhandled).toEqual([])
      }),
    )

    it.effect("the documentation tells what was seen (`npm run faults` writes it)", () =>
      Effect.gen(function* () {
        const run = yield* FaultRun
        const tables = renderTables(
          sections,
          (fault, way, company) => {
            const one = cases.find(
              (one) =>
                one.operation === "chat.completions" &&
                one.fault === fault &&
                one.way === way &&
                one.company === company,
            )
            return one === undefined ? undefined : run.observed(one)
          },
          yield* CallerRun,
        )
        const document = readFileSync(documentPath, "utf8")
        if (process.env["UPDATE_FAULTS"] === "1") writeFileSync(documentPath, withTables(document, tables))
        else expect(document).toBe(withTables(document, tables))
      }),
    )
  },
)
