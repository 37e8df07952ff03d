/** docs/audit.md against the program: columns, outcomes, SQL and commands are run as they stand there. */
import { readFileSync, writeFileSync } from "node:fs"
import { expect, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import type { AuditFiles } from "../../src/audit/AuditUrl.ts"
import { outcomes } from "../../src/audit/read/AuditFilter.ts"
import { columns } from "../../src/audit/sqlite/Columns.ts"
import { connect, query } from "../../src/audit/sqlite/Database.ts"
import { audit } from "../cli/audit/runAudit.ts"
import { type AuditRow, rowWith, storedAudit } from "../support/StoredAudit.ts"

const path = new URL("../../docs/audit.md", import.meta.url)
const document = readFileSync(path, "utf8")

const day = (time: string) => `2026-11-22T${time}Z`

/** The requests the examples in the document speak of. */
const rows: ReadonlyArray<AuditRow> = [
  rowWith("k0", {
    id: "req-0000",
    started_at: "2026-10-31T22:10:00.000Z",
    model: "gpt-4o",
    latency_ms: 640.2,
  }),
  rowWith("k1", {
    id: "req-0001",
    started_at: day("09:00:00.123"),
    prompt_tokens: 1200,
    cached_tokens: 1024,
    completion_tokens: 340,
    total_tokens: 1540,
    latency_ms: 2315.25,
    stream: 1,
    ttft_ms: 412.5,
  }),
  rowWith("k2", {
    id: "req-0002",
    started_at: day("09:00:01.500"),
    model: "deepseek-chat",
    upstream_model: "deepseek-chat",
    upstream: "deepseek_service",
    attempts: '[{"upstream":"deepseek_service","status":200,"ms":1804.1}]',
    prompt_tokens: 87,
    completion_tokens: 415,
    total_tokens: 502,
    reasoning_tokens: 301,
    latency_ms: 1805.4,
    key_fingerprint: "ffeeddccbbaa9988",
    client_ip: "2001:db8::1",
  }),
  rowWith("k3", {
    id: "req-0003",
    started_at: day("10:12:40.000"),
    model: "gpt-5-nonsense",
    upstream_model: null,
    upstream: null,
    attempts: "[]",
    status: 404,
    outcome: "rejected",
    error: "no client serves the model gpt-5-nonsense",
    prompt_tokens: null,
    completion_tokens: null,
    total_tokens: null,
    latency_ms: 0.8,
    overhead_ms: 0.8,
    upstream_request_id: null,
    service_tier: null,
    response_id: null,
    finish_reason: null,
    key_fingerprint: "ffeeddccbbaa9988",
    client_ip: "2001:db8::1",
  }),
  rowWith("k4", {
    id: "req-0004",
    started_at: day("17:34:58.020"),
    upstream_model: "deepseek-chat",
    upstream: "deepseek_backup",
    attempts:
      '[{"upstream":"official_openai","cause":"connection refused","ms":1.5},{"upstream":"deepseek_backup","status":429,"ms":203.7}]',
    status: 429,
    outcome: "upstream_error",
    error: "deepseek_backup answered 429",
    prompt_tokens: null,
    completion_tokens: null,
    total_tokens: null,
    latency_ms: 209.4,
    overhead_ms: 4.2,
    service_tier: null,
    response_id: null,
    finish_reason: null,
    request: '{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}',
    response: '{"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":null}}',
  }),
]

class Example extends Context.Tag("test/Example")<Example, AuditFiles>() {}
const example = Layer.scoped(Example, Effect.orDie(storedAudit(rows)))

const blocksOf = (language: string): ReadonlyArray<string> =>
  [...document.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, text = ""]) => text)

/** The first cells of the table that comes after a heading row. */
const firstCells = (heading: string): ReadonlyArray<string> => {
  const [, table = ""] = document.split(`${heading}\n|---|---|\n`)
  return [...(table.split("\n\n")[0] ?? "").matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = ""]) => name)
}

layer(example)("docs/audit.md", (it) => {
  it.effect("names every column, in order, and every outcome", () =>
    Effect.sync(() => {
      expect(firstCells("| column | what it says |")).toEqual(columns.map(({ name }) => name))
      expect(firstCells("| outcome | meaning |").toSorted()).toEqual(outcomes.toSorted())
    }),
  )

  it.scoped("holds SQL of which every query runs and finds something", () =>
    Effect.gen(function* () {
      const { database, directory } = yield* Example
      const sql = yield* connect(database, 1000)
      const found = new Map<string, ReadonlyArray<Readonly<Record<string, unknown>>>>()
      for (const block of blocksOf("sql")) {
        for (const statement of block.split(/;\n/).map((text) => text.trim())) {
          if (statement === "") continue
          const result = yield* query(sql, statement.replace("'logs/", `'${directory}/`))
          found.set(statement, result)
          if (statement.startsWith("SELECT")) expect(result.length, statement).toBeGreaterThan(0)
        }
      }
      const resultOf = (word: string) => [...found].find(([statement]) => statement.includes(word))?.[1]
      expect(resultOf("october.requests")).toEqual([{ requests: 5, tokens: 46 + 1540 + 502 }])
      expect(resultOf("AS cost")).toEqual([
        {
          model: "gpt-4o",
          requests: 2,
          tokens_in: 1200,
          tokens_out: 340,
          cost: Math.round((176 * 2.5 + 1024 * 1.25 + 340 * 10) / 100) / 10_000,
        },
        {
          model: "deepseek-chat",
          requests: 1,
          tokens_in: 87,
          tokens_out: 415,
          cost: Math.round((87 * 0.27 + 415 * 1.1) / 100) / 10_000,
        },
      ])
      expect(resultOf("AS percent")).toEqual([
        { upstream: "deepseek_service", hour: "2026-11-22T09", requests: 1, percent: 0 },
        { upstream: "official", hour: "2026-11-22T09", requests: 1, percent: 0 },
        { upstream: "deepseek_backup", hour: "2026-11-22T17", requests: 1, percent: 100 },
      ])
      expect(resultOf("AS result")).toContainEqual({
        upstream: "official_openai",
        result: "connection refused",
        attempts: 1,
      })
      expect(found.size).toBeGreaterThanOrEqual(12)
    }),
  )

  it.scoped("shows what its commands print (UPDATE_DOCS=1 writes it anew)", () =>
    Effect.gen(function* () {
      const { database } = yield* Example
      yield* TestClock.setTime(Date.UTC(2026, 10, 22, 17, 40))
      let renewed = document
      const blocks = blocksOf("console")
      for (const block of blocks) {
        const [command = ""] = block.split("\n", 1)
        expect(command).toMatch(/^\$ sluice audit /)
        const { code, err, out } = yield* audit(command.replace("$ sluice audit ", "").split(" "), {
          AUDIT_URL: `sqlite:${database}`,
        })
        expect({ code, err }).toEqual({ code: 0, err: "" })
        renewed = renewed.replace(block, () => `${command}\n${out}`)
      }
      expect(blocks.length).toBe(4)
      if (process.env["UPDATE_DOCS"] === "1") writeFileSync(path, renewed)
      else expect(document).toBe(renewed)
    }),
  )
})
