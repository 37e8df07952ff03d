/** Live requests to many readers, and to one that takes nothing. */
import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { RequestRow } from "../../src/admin/api/RequestRow.ts"
import { liveAnswer } from "../../src/admin/LiveAnswer.ts"
import type { Watcher } from "../../src/admin/LiveRequests.ts"
import { rowTold } from "../../src/admin/RowTold.ts"
import { type AuditFilter, everything } from "../../src/audit/read/AuditFilter.ts"
import { byColumn, valuesOf } from "../../src/audit/sqlite/Rows.ts"
import { sampleRecord } from "../support/AuditRecords.ts"

const rowsOf = (...ids: ReadonlyArray<string>): ReadonlyArray<RequestRow> =>
  ids.map((id) => rowTold(byColumn(valuesOf(sampleRecord(id, { model: id }), ""))))

/** What a reader is sent who is told this. */
const told = (filter: AuditFilter, tell: (watcher: Watcher) => void) =>
  Effect.gen(function* () {
    const watch = (watcher: Watcher) => Effect.sync(() => tell(watcher))
    const { body } = liveAnswer({ watch, hasRoom: () => true }, filter, () => "leaving")
    if (body._tag !== "Stream") return yield* Effect.dieMessage("no stream")
    return Chunk.toReadonlyArray(yield* Stream.runCollect(body.stream))
  })

const textOf = (pieces: ReadonlyArray<Uint8Array>): string => Buffer.concat(pieces).toString()

describe("Live requests of one reader", () => {
  it.effect("are written once for all who are told all of them", () =>
    Effect.gen(function* () {
      const rows = rowsOf("a", "b", "c")
      const tell = (watcher: Watcher) => {
        watcher.finished(rows)
        watcher.tick(1)
      }
      const [first, second, other] = [
        yield* told(everything, tell),
        yield* told(everything, tell),
        yield* told({ ...everything, model: "b" }, tell),
      ]
      expect(textOf(first).match(/event: request/g)).toHaveLength(3)
      expect(first[0]).toBe(second[0])
      expect(textOf(other).match(/event: request/g)).toHaveLength(1)
      expect(textOf(other)).toContain('"id":"b"')
    }),
  )

  it.effect("end where a thousand events wait, however many came at once", () =>
    Effect.gen(function* () {
      const rows = rowsOf(...Array.from({ length: 400 }, (_, at) => `r${at}`))
      const pieces = yield* told(everything, (watcher) => {
        for (let times = 0; times < 10; times += 1) watcher.finished(rows)
      })
      expect(textOf(pieces).match(/event: request/g)).toHaveLength(1_200)
      expect(textOf(pieces)).toMatch(/event: end\ndata: {"reason":"slow"}\n\n$/)
    }),
  )
})
