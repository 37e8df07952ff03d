/** Rows of the audit as the API tells them, and back. */
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { RequestRow, RequestStory } from "../../src/admin/api/RequestRow.ts"
import { rowFrom, rowTold, storyTold } from "../../src/admin/RowTold.ts"
import { briefColumns, rowOf } from "../../src/audit/read/FoundRow.ts"
import { columnNames } from "../../src/audit/sqlite/Columns.ts"
import { byColumn, valuesOf } from "../../src/audit/sqlite/Rows.ts"
import { sampleRecord } from "../support/AuditRecords.ts"
import { madeUpRows, rowWith } from "../support/StoredAudit.ts"

/** The gateway writes no list that is empty. */
const rows = madeUpRows(300, 2912).map((row) => ({
  ...row,
  dropped: row.dropped === "" ? null : row.dropped,
}))

const overTheWire = <A, I>(schema: Schema.Schema<A, I>, told: A): A =>
  Schema.decodeSync(Schema.parseJson(schema))(Schema.encodeSync(Schema.parseJson(schema))(told))

describe("rows as they are told", () => {
  it("law: come back as they were, over the wire too", () => {
    for (const row of rows) {
      const brief = rowOf(briefColumns, row)
      expect(rowFrom(overTheWire(RequestRow, rowTold(brief)))).toEqual(brief)
      const whole = rowOf(columnNames, row)
      expect(rowFrom(overTheWire(RequestStory, storyTold(whole)))).toEqual(whole)
    }
  })

  it("law: so do those of every kind of record the gateway writes", () => {
    const attempt = { upstream: "one", upstreamModel: "m", status: 200, cause: undefined, ms: 1 }
    for (const record of [
      sampleRecord("usual"),
      sampleRecord("refused", { attempts: [], upstream: undefined, status: 400, outcome: "rejected" }),
      sampleRecord("dropped", { dropped: ["temperature", "tools[0].strict"] }),
      sampleRecord("translated", {
        attempts: [{ ...attempt, dialect: "chat" }],
        notAsked: [{ upstream: "two", dialect: "messages", cause: "messages has no `seed`" }],
      }),
      sampleRecord("resumed", {
        attempts: [
          { ...attempt, cause: "broke off" },
          { ...attempt, resumed: true },
          { ...attempt, status: undefined, cause: undefined },
        ],
      }),
    ]) {
      const row = rowOf(briefColumns, byColumn(valuesOf(record, "key")))
      expect(rowFrom(overTheWire(RequestRow, rowTold(row)))).toEqual(row)
    }
  })

  it("tells flags, attempts, headers and lists as JSON has them, and what is unknown as null", () => {
    expect(storyTold(rowWith("k", { dropped: "tools,seed", stream: 1, multimodal: null }))).toMatchObject({
      stream: true,
      tools: false,
      multimodal: null,
      attempts: [{ upstream: "official", status: 200, ms: 812.25 }],
      headers: { "content-type": "application/json" },
      dropped: ["tools", "seed"],
      ttft_ms: null,
    })
  })

  it.each([
    ["attempts", "no JSON", []],
    ["attempts", '{"upstream":"one"}', []],
    ["attempts", '[{"upstream":1}]', []],
    ["not_asked", '[{"upstream":"one"}]', []],
    ["headers", "[", null],
    ["headers", '{"a":1}', null],
    ["latency_ms", "soon", null],
    ["status", "200", null],
    ["stream", 2, null],
  ] as const)("takes for unknown what somebody else wrote into the file: %s = %j", (name, value, told) => {
    expect(storyTold(rowWith("k", { [name]: value }))).toMatchObject({ [name]: told })
  })
})
