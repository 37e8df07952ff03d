/** What `sluice audit` prints and how it ends; what it finds is Reader.test.ts. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { beforeAll } from "vitest"
import type { AuditFiles } from "../../src/audit/AuditUrl.ts"
import { fingerprint, secretOf } from "../../src/audit/Fingerprint.ts"
import { groupings } from "../../src/audit/read/AuditStats.ts"
import { briefColumns } from "../../src/audit/read/FoundRow.ts"
import { columnNames, columns } from "../../src/audit/sqlite/Columns.ts"
import { connect, query } from "../../src/audit/sqlite/Database.ts"
import { coloured, plain } from "../../src/terminal/Colour.ts"
import { guarded } from "../../src/terminal/Csv.ts"
import { dayAndTime, instant } from "../../src/terminal/Quantity.ts"
import { bundled } from "../support/AuditBundle.ts"
import {
  type AuditRow,
  lastInstant,
  madeUpRows,
  newAudit,
  rowWith,
  storedAudit,
  writeRows,
} from "../support/StoredAudit.ts"
import { parseCsv } from "./audit/parseCsv.ts"
import { audit } from "./audit/runAudit.ts"

const rows = madeUpRows(250, 11)

const linesOf = (text: string): ReadonlyArray<string> => text.split("\n").slice(0, -1)

const objectsOf = (text: string) => linesOf(text).map((line): Record<string, unknown> => JSON.parse(line))

class Stored extends Context.Tag("test/Stored")<Stored, AuditFiles>() {}
const stored = Layer.scoped(Stored, Effect.orDie(storedAudit(rows)))

layer(stored)("sluice audit", (it) => {
  it.scoped("list prints the newest 50 in aligned columns, with titles", () =>
    Effect.gen(function* () {
      const { database } = yield* Stored
      const { code, err, out } = yield* audit(["list", "--db", database], {}, plain, true)
      const [titles = "", ...lines] = linesOf(out)
      expect({ code, err }).toEqual({ code: 0, err: "" })
      expect(titles).toMatch(/^TIME +STATUS +ENDPOINT +MODEL +UPSTREAM +TOK IN +OUT +TOOK {2}KEY +ID$/)
      expect(lines).toHaveLength(50)
      for (const line of [titles, ...lines]) expect([...line].length).toBeLessThanOrEqual(100)
      for (const line of lines) {
        expect(line.slice(0, 14)).toMatch(/^\d\d-\d\d \d\d:\d\d:\d\d$/)
        expect(line.slice(titles.indexOf("STATUS"), titles.indexOf("ENDPOINT"))).toMatch(
          /^\d{3}( upstream| left| rejected| broken)? +$/,
        )
      }
      const starts = lines.map((line) => line.slice(0, 14))
      expect(starts).toEqual(starts.toSorted().toReversed())
    }),
  )

  it.scoped(
    "list shows times as this machine has them, or in UTC, and takes those without a zone alike",
    () =>
      Effect.gen(function* () {
        const { database } = yield* Stored
        const newest = new Date(
          String(
            rows
              .map(({ started_at }) => String(started_at))
              .toSorted()
              .at(-1),
          ),
        )
        const first = (text: string) => linesOf(text)[1]?.slice(0, 14)
        const local = yield* audit(["list", "-n", "1", "--db", database])
        expect(first(local.out)).toBe(dayAndTime(newest, "local"))
        const utc = yield* audit(["list", "-n", "1", "--utc", "--db", database])
        expect(first(utc.out)).toBe(dayAndTime(newest, "utc"))
        expect(utc.out).toMatch(/^TIME \(UTC\) /)
        const since = newest.toISOString().slice(0, 23)
        const { out } = yield* audit(["list", "--utc", "--since", since, "--json", "--db", database])
        expect(linesOf(out)).toHaveLength(1)
      }),
  )

  it.scoped("list --wide cuts nothing", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      const id = "01a21eb3-3bde-7be1-a6f9-454680722e66"
      const model = "an-organisation/a-model-with-a-name-that-goes-on-and-on"
      yield* writeRows(files, [rowWith("k1", { id, model })])
      const { out } = yield* audit(["list", "--db", files.database], {}, plain, true)
      expect(out).not.toContain(model)
      expect(out).toContain(" 80722e66\n")
      const { out: wide } = yield* audit(["list", "--wide", "--db", files.database])
      expect(wide).toContain(model)
      expect(wide).toContain(` ${id}\n`)
      expect(wide).toContain(" 192.0.2.7 ")
      const known = [
        "DIALECT",
        "OVERHEAD",
        "TIER",
        "DROPPED",
        "CONVERSATION",
        "CONFIG",
        "UPSTREAM ID",
        "RESPONSE ID",
      ]
      for (const title of known) expect(wide).toContain(` ${title} `)
    }),
  )

  it.scoped("list and show colour the status, where colour is wanted", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      yield* writeRows(files, [
        rowWith("k1", { id: "good-one" }),
        rowWith("k2", { id: "bad-one", status: 502, outcome: "upstream_error" }),
        rowWith("k3", { id: "refused-one", status: 404, outcome: "rejected" }),
      ])
      const { out } = yield* audit(["list", "--db", files.database], {}, coloured)
      expect(out).toContain("\u001b[32m200\u001b[0m")
      expect(out).toContain("\u001b[31m502 upstream\u001b[0m")
      expect(out).toContain("\u001b[33m404 rejected\u001b[0m")
      const { out: shown } = yield* audit(["show", "bad-one", "--db", files.database], {}, coloured)
      expect(shown).toContain("status               \u001b[31m502\u001b[0m")
      const { out: json } = yield* audit(["list", "--json", "--db", files.database], {}, coloured)
      expect(json).not.toContain("\u001b")
    }),
  )

  it.scoped("show takes the beginning or the end of an id, unless more than one has it", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      yield* writeRows(files, [
        rowWith("k1", { id: "01a21eb3-3bde-7be1-a6f9-454680722e66" }),
        rowWith("k2", { id: "01a21eb3-3bde-7be1-a6f9-aaaa80722e67", started_at: "2026-10-22T17:35:00.123Z" }),
        rowWith("k3", { id: "722e" }),
      ])
      const show = (id: string) => audit(["show", id, "--json", "--db", files.database])
      const found = (id: string) =>
        Effect.map(show(id), ({ code, out }) => [code, objectsOf(out).map((object) => object["id"])])
      expect(yield* found("80722e66")).toEqual([0, ["01a21eb3-3bde-7be1-a6f9-454680722e66"]])
      expect(yield* found("a6f9-aaaa80722e67")).toEqual([0, ["01a21eb3-3bde-7be1-a6f9-aaaa80722e67"]])
      // Whole ids come first.
      expect(yield* found("722e")).toEqual([0, ["722e"]])
      const { code, err } = yield* show("01a21eb3")
      expect(code).toBe(1)
      expect(err).toContain("more than one request begins or ends with")
      expect(err).toContain("a6f9-454680722e66, 01a21eb3")
      // Too short to mean one, and no pattern.
      for (const id of ["e66", "%", "80722e6_", "*22e66"]) {
        expect((yield* show(id)).err).toContain("there is no request")
      }
    }),
  )

  it.scoped("show --no-bodies leaves out what was said", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      yield* writeRows(files, [rowWith("k1", { request: '{"secret":"plan"}', response: "the answer" })])
      for (const format of [[], ["--json"], ["--csv"]]) {
        const { code, out } = yield* audit([
          "show",
          "req-1",
          "--no-bodies",
          ...format,
          "--db",
          files.database,
        ])
        expect(code).toBe(0)
        expect(out).toContain("gpt-4o")
        expect(out).not.toContain("plan")
        expect(out).not.toContain("the answer")
      }
    }),
  )

  it.scoped(
    "names are whole where no terminal has to hold them, and with --wide; else they differ as far as there is room",
    () =>
      Effect.gen(function* () {
        const files = yield* newAudit
        const names = ["claude-sonnet-4-5-20250929", "claude-sonnet-4-20250514", "claude-sonnet-4-5"]
        const upstream = `${"u".repeat(60)}-end`
        const counts = { prompt_tokens: 1234, completion_tokens: 1234, cached_tokens: 1234, ttft_ms: 1234 }
        yield* writeRows(
          files,
          names.map((model, at) =>
            rowWith(`k${at}`, { model, upstream, endpoint: "responses.input_tokens", ...counts }),
          ),
        )
        const told = (args: ReadonlyArray<string>, isTerminal: boolean) =>
          Effect.map(audit([...args, "--db", files.database], {}, plain, isTerminal), ({ out }) => out)
        for (const args of [["list"], ["stats"]]) {
          for (const out of [yield* told(args, false), yield* told([...args, "--wide"], true)]) {
            for (const name of names) expect(out).toMatch(new RegExp(`(^| )${name} `, "m"))
            expect(out).not.toContain("…")
          }
          const cut = yield* told(args, true)
          expect(cut).toContain("…")
          for (const line of linesOf(cut)) expect([...line].length).toBeLessThanOrEqual(104)
        }
        expect(yield* told(["list"], false)).toMatch(/responses\.input_tokens .* u+-end /)
        const shown = linesOf(yield* told(["stats"], true)).map((line) => line.slice(0, 12))
        expect(new Set(shown).size).toBe(shown.length)
      }),
  )

  it.scoped("no character that callers chose reaches the terminal as a control", () =>
    Effect.gen(function* () {
      const { database } = yield* Stored
      const texts = yield* Effect.forEach(
        [
          ["list", "-n", "500"],
          ["list", "--json", "-n", "500"],
          ["stats"],
          ["stats", "--json"],
          ["show", "a\tb"],
          ["show", "a\tb", "--json"],
        ],
        (args) => audit([...args, "--db", database]),
      )
      for (const { code, out } of texts) {
        expect(code).toBe(0)
        expect(out.length).toBeGreaterThan(100)
        expect(out.replaceAll("\n", "").replaceAll("\t", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      }
    }),
  )

  it.scoped("list --json prints an object a line, with the attempts as they are", () =>
    Effect.gen(function* () {
      const { database } = yield* Stored
      const { out } = yield* audit(["list", "--json", "--limit", "1000", "--db", database])
      const objects = objectsOf(out)
      expect(objects).toHaveLength(rows.length)
      expect(Object.keys(objects[0] ?? {})).toEqual(briefColumns)
      for (const object of objects) expect(Array.isArray(object["attempts"])).toBe(true)
    }),
  )

  it.scoped("the options filter, alone and together", () =>
    Effect.gen(function* () {
      const { database } = yield* Stored
      yield* TestClock.setTime(lastInstant)
      const count = (...args: ReadonlyArray<string>) =>
        Effect.map(
          audit(["list", "--json", "-n", "1000", ...args, "--db", database]),
          ({ code, err, out }) => {
            expect({ code, err: err.replace("no request matches", "") }).toEqual({ code: 0, err: "" })
            return linesOf(out).length
          },
        )
      const expected = (admits: (row: AuditRow) => boolean) => rows.filter(admits).length
      const text = (row: AuditRow) => String(row.started_at)
      expect(yield* count("--model", "gpt-4o")).toBe(expected(({ model }) => model === "gpt-4o"))
      expect(yield* count("--model", "'; DROP TABLE requests_2026_11; --")).toBe(
        expected(({ model }) => model === "'; DROP TABLE requests_2026_11; --"),
      )
      expect(yield* count("--upstream", "o'brien")).toBe(expected(({ upstream }) => upstream === "o'brien"))
      expect(yield* count("--status", "429")).toBe(expected(({ status }) => status === 429))
      expect(yield* count("--status", "5xx")).toBe(expected(({ status }) => Number(status) >= 500))
      expect(yield* count("--outcome", "rejected")).toBe(expected(({ outcome }) => outcome === "rejected"))
      expect(yield* count("--ip", "2001:db8::1")).toBe(expected((row) => row.client_ip === "2001:db8::1"))
      expect(yield* count("--key", "00112233aabbccdd")).toBe(
        expected((row) => row.key_fingerprint === "00112233aabbccdd"),
      )
      expect(yield* count("--utc", "--since", "2026-10-05", "--until", "2026-10-20T12:00")).toBe(
        expected((row) => text(row) >= "2026-10-05" && text(row) < "2026-10-20T12:00"),
      )
      expect(yield* count("--since", "7d", "--outcome", "ok")).toBe(
        expected((row) => text(row) >= "2026-11-15T17:35" && row.outcome === "ok"),
      )
      expect(yield* count("--until", "1970-01-02")).toBe(0)
    }),
  )

  it.scoped("an empty list is an answer, and said to be empty where it does no harm", () =>
    Effect.gen(function* () {
      const { database } = yield* Stored
      expect(yield* audit(["list", "--model", "nobody asked", "--db", database])).toEqual({
        code: 0,
        out: "",
        err: "no request matches",
      })
      const { out } = yield* audit(["list", "--model", "nobody asked", "--csv", "--db", database])
      expect(out).toBe(`${briefColumns.map((name) => `"${name}"`).join(",")}\r\n`)
    }),
  )

  it.scoped("show prints every known column, and bodies last", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      yield* writeRows(files, [
        rowWith("k1", { request: '{"model":"gpt-4o","messages":[]}', response: "cut off…" }),
      ])
      const { code, out } = yield* audit(["show", "req-1", "--db", files.database])
      expect(code).toBe(0)
      const started = instant(new Date("2026-11-22T17:35:00.123Z"), "local")
      expect(out).toContain(`started_at           ${started}\n`)
      expect(out).toMatch(/\nstream +no\n/)
      expect(out).toMatch(/\nattempts:\n {3}UPSTREAM +RESULT +TOOK\n1 {2}official +200 +812ms\n/)
      expect(out).toContain(
        '\nrequest:\n{\n  "model": "gpt-4o",\n  "messages": []\n}\n\nresponse:\ncut off…\n',
      )
      expect(out).not.toContain("ttft_ms")
      const { out: json } = yield* audit(["show", "req-1", "--json", "--db", files.database])
      expect(Object.keys(objectsOf(json)[0] ?? {})).toEqual(columns.map(({ name }) => name))
    }),
  )

  it.scoped("show works the time of a token out of a stream's times and tokens", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      yield* writeRows(files, [
        rowWith("k1", { id: "streamed", latency_ms: 1200, ttft_ms: 200, completion_tokens: 101 }),
        rowWith("k2", { id: "plain", latency_ms: 1200, ttft_ms: null, completion_tokens: 101 }),
      ])
      const told = (id: string) => Effect.map(audit(["show", id, "--db", files.database]), ({ out }) => out)
      expect(yield* told("streamed")).toMatch(/\nper_token +10ms\n/)
      expect(yield* told("plain")).not.toContain("per_token")
    }),
  )

  it.scoped("show says in which dialect each client was asked, where that is not the caller's", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      const attempts = [
        { upstream: "claude", status: 529, ms: 12.5 },
        { upstream: "openai", dialect: "chat", status: 200, ms: 812.25 },
      ]
      yield* writeRows(files, [
        rowWith("k1", { dialect: "messages", attempts: JSON.stringify(attempts), dropped: "top_k" }),
        rowWith("k2", {
          id: "req-2",
          not_asked: '[{"upstream":"ant","dialect":"messages","cause":"messages has no `seed`"}]',
        }),
      ])
      const { out: passed } = yield* audit(["show", "req-2", "--db", files.database])
      expect(passed).toMatch(/\nnot asked:\nant {2}messages has no `seed`\n/)
      const { out } = yield* audit(["show", "req-1", "--db", files.database])
      expect(out).toMatch(
        /\nattempts:\n {3}UPSTREAM +ASKED IN +RESULT +TOOK\n1 {2}claude +messages +529 +13ms\n2 {2}openai +chat +200 +812ms\n/,
      )
      const { out: wide } = yield* audit(["list", "--wide", "--db", files.database])
      expect(wide).toContain(" top_k ")
    }),
  )

  it.scoped("show of an id that is not there ends with 1", () =>
    Effect.gen(function* () {
      const { database } = yield* Stored
      const { code, err, out } = yield* audit(["show", "nobody\u001b[31m", "--db", database])
      expect({ code, out }).toEqual({ code: 1, out: "" })
      expect(err).toContain('there is no request "nobody\\u001b[31m"')
    }),
  )

  it.scoped("stats groups by whatever there is to group by, and adds up to all requests", () =>
    Effect.gen(function* () {
      const { database } = yield* Stored
      for (const by of groupings) {
        const { code, out } = yield* audit(["stats", "--by", by, "--json", "--db", database])
        expect(code).toBe(0)
        const groups = objectsOf(out)
        expect(Object.keys(groups[0] ?? {})[0]).toBe(by)
        expect(groups.reduce((sum, { requests }) => sum + Number(requests), 0)).toBe(rows.length)
        const { out: table } = yield* audit(["stats", "--by", by, "--db", database])
        expect(linesOf(table).at(-1)).toMatch(new RegExp(`^\\(all\\) +${rows.length} `))
        const { out: csv } = yield* audit(["stats", "--by", by, "--csv", "--db", database])
        expect(parseCsv(csv)).toHaveLength(groups.length + 1)
      }
    }),
  )

  it.scoped("law: an exported CSV is read back as what the rows hold, the oldest first", () =>
    Effect.gen(function* () {
      const { database } = yield* Stored
      const { code, out } = yield* audit(["export", "--db", database])
      expect(code).toBe(0)
      const [heading, ...records] = parseCsv(out)
      expect(heading).toEqual(columnNames)
      const sorted = rows.toSorted((a, b) =>
        `${a.started_at} ${a.record_key}` < `${b.started_at} ${b.record_key}` ? -1 : 1,
      )
      expect(records).toEqual(
        sorted.map((row) =>
          columnNames.map((name) => {
            const value = row[name]
            return value === null ? null : typeof value === "number" ? String(value) : guarded(value)
          }),
        ),
      )
    }),
  )

  it.scoped("law: exported JSON holds every value as it is", () =>
    Effect.gen(function* () {
      const { database } = yield* Stored
      const { out } = yield* audit(["export", "--json", "--db", database])
      const exported = new Set(objectsOf(out).map((object) => JSON.stringify(object)))
      for (const { record_key, ...row } of rows) {
        const expected = Object.fromEntries(
          columnNames.map((name) => {
            const value = row[name]
            const isJson = name === "attempts" || name === "headers" || name === "not_asked"
            return [name, isJson ? JSON.parse(String(value)) : value]
          }),
        )
        expect(exported).toContain(JSON.stringify(expected))
      }
    }),
  )

  it.scoped("the store is that of --db, else of AUDIT_URL, else of RECD_PATH", () =>
    Effect.gen(function* () {
      const { database, directory } = yield* Stored
      const at = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) =>
        Effect.map(audit(["list", ...args], env), ({ code }) => code)
      expect(yield* at([], { AUDIT_URL: `sqlite:${database}`, RECD_PATH: "/nowhere.db" })).toBe(0)
      expect(yield* at([], { RECD_PATH: database })).toBe(0)
      expect(yield* at(["--db", `sqlite://${database}`], { AUDIT_URL: "sqlite:/nowhere.db" })).toBe(0)
      expect(yield* at(["--db", join(directory, "record_202610.db")], {})).toBe(0)
    }),
  )
})

describe("sluice audit keys", () => {
  it.scoped("takes no key as a word, and does not repeat it", () =>
    Effect.gen(function* () {
      const { code, err, out } = yield* audit(["keys", "sluice-key-0123"])
      expect(code).toBe(2)
      expect(`${err}${out}`).not.toContain("0123")
    }),
  )

  const withKeys = (text: string) =>
    Effect.gen(function* () {
      const files = yield* newAudit
      const config = join(files.directory, "config.yaml")
      writeFileSync(config, text)
      return { files, keys: audit(["keys", "--config", config, "--db", files.database]) }
    })
  const client =
    "openai_clients: [{ name: a, base_url: 'http://x/v1', model_match: { type: exact, value: [m] } }]\n"

  it.scoped("prints the fingerprint that rows of that key have, and no key", () =>
    Effect.gen(function* () {
      const { files, keys } = yield* withKeys(`${client}server: { access_keys: [team-key-1, team-key-2] }\n`)
      const secret = yield* secretOf(files.secret)
      const { code, out } = yield* keys
      expect(code).toBe(0)
      for (const [at, key] of ["team-key-1", "team-key-2"].entries()) {
        expect(out).toMatch(
          new RegExp(`^server\\.access_keys\\[${at}\\] {2}${fingerprint(secret)(Redacted.make(key))}$`, "m"),
        )
        expect(out).not.toContain(key)
      }
    }),
  )

  it.scoped("says what is missing: keys, or the secret", () =>
    Effect.gen(function* () {
      const open = yield* withKeys(client)
      expect(yield* open.keys).toEqual({ code: 0, out: "no access keys are configured\n", err: "" })
      const early = yield* withKeys(`${client}server: { access_keys: [team-key-1] }\n`)
      const { code, err } = yield* early.keys
      expect([code, err]).toEqual([1, expect.stringContaining("record.secret: cannot be read")])
      expect(existsSync(early.files.secret)).toBe(false)
    }),
  )
})

describe("what is no answer", () => {
  it.scoped("an audit that is not there: 1, named, with what to do", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      const { code, err } = yield* audit(["list", "--db", files.database])
      expect(code).toBe(1)
      expect(err).toContain(`${files.database}: there is no audit`)
    }),
  )

  it.scoped("a file that GPT_API wrote: 1, with what becomes of it", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      for (const [name, words] of [
        ["record.db", "the gateway takes it over"],
        ["record_202610.db", "it stays as it is"],
        ["record_202610_1767225600.db", "it stays as it is"],
      ] as const) {
        const path = join(files.directory, name)
        yield* Effect.scoped(
          Effect.flatMap(connect(path, 1000), (sql) =>
            query(sql, "CREATE TABLE records (Time TEXT PRIMARY KEY)"),
          ),
        )
        const { code, err } = yield* audit(["list", "--db", path])
        expect([code, err]).toEqual([1, expect.stringContaining(words)])
      }
    }),
  )

  it.scoped("one archive of a later release: the answer without it, 1, and the archive named", () =>
    Effect.gen(function* () {
      const files = yield* storedAudit([
        rowWith("1", { id: "in-october", started_at: "2026-10-05T00:00:00.000Z" }),
        rowWith("2", { id: "in-november" }),
      ])
      const archive = join(files.directory, "record_202610.db")
      yield* Effect.scoped(
        Effect.flatMap(connect(archive, 1000), (sql) => query(sql, "PRAGMA user_version = 99")),
      )
      for (const asked of ["list", "stats", "export"]) {
        const { code, err, out } = yield* audit([asked, "--db", files.database, "--json"])
        expect([asked, code, linesOf(out).length]).toEqual([asked, 1, 1])
        expect(out).not.toContain("in-october")
        expect(err).toContain(`${archive}: was written by a later release`)
        expect(err).toContain("its rows are left out")
        expect(err).not.toContain(`${files.database}:`)
      }
      const { code, err } = yield* audit(["show", "in-october", "--db", files.database])
      expect(code).toBe(1)
      expect(err).toContain(`${archive}: was written by a later release`)
    }),
  )

  it.scoped.runIf(process.getuid?.() !== 0)(
    "a folder this user may not enter: 1, and no word of absence",
    () =>
      Effect.gen(function* () {
        const { database, directory } = yield* newAudit
        chmodSync(directory, 0)
        yield* Effect.addFinalizer(() => Effect.sync(() => chmodSync(directory, 0o700)))
        const { code, err } = yield* audit(["list", "--db", database])
        expect([code, err]).toEqual([1, expect.stringContaining("this user may not read it")])
      }),
  )

  it.scoped.each<readonly [ReadonlyArray<string>, string]>([
    [["list", "--since", "yesterday"], "--since"],
    [["stats", "--until", "2026-02-30"], "--until"],
    [["export", "--status", "9xx"], "--status"],
    [["list", "--limit", "0"], "--limit"],
    [["list", "--limit", "many"], ""],
    [["list", "--outcome", "good"], ""],
    [["stats", "--by", "moon"], ""],
    [["list", "--json", "--csv"], "--json and --csv"],
    [["list", "--db", "postgres://somewhere/else"], "--db"],
    [["show"], ""],
    [["list", "--nonsense"], ""],
  ])("a misuse: %j is 2", ([args, word]) =>
    Effect.gen(function* () {
      const { code, err, out } = yield* audit(args)
      expect(code).toBe(2)
      if (word !== "") expect(err).toContain(word)
      expect(out).not.toContain("TIME")
    }),
  )
})

describe("as a process", () => {
  let program = ""
  beforeAll(() => {
    program = fileURLToPath(bundled("test/cli/auditProgram.ts", "audit-program"))
  })

  const started = (args: ReadonlyArray<string>) =>
    Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [program, "audit", ...args], { stdio: ["ignore", "pipe", "pipe"] }),
      ),
      (child) => Effect.sync(() => void child.kill("SIGKILL")),
    )

  const exitOf = (child: ChildProcess) =>
    Effect.promise(async (): Promise<unknown> => (await once(child, "close"))[0])

  const errorsOf = (child: ChildProcess) => {
    const errors: Array<string> = []
    child.stderr?.on("data", (data) => errors.push(String(data)))
    return errors
  }

  it.scopedLive("ends quietly when whoever reads has seen enough", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      const body = "x".repeat(20_000)
      yield* writeRows(
        files,
        Array.from({ length: 500 }, (_, at) => rowWith(`k${at}`, { request: body })),
      )
      const child = yield* started(["export", "--db", files.database])
      const errors = errorsOf(child)
      const exit = yield* Effect.fork(exitOf(child))
      yield* Effect.promise(() => once(child.stdout, "data"))
      child.stdout.destroy()
      expect(yield* exit).toBe(0)
      expect(errors.join("")).toBe("")
    }),
  )

  it.scopedLive("list --follow prints rows as they come, and ends on SIGINT with 0", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      yield* writeRows(files, [rowWith("k1", { id: "first" })])
      const child = yield* started(["list", "--follow", "--json", "--db", files.database])
      const errors = errorsOf(child)
      const exit = yield* Effect.fork(exitOf(child))
      const next = Effect.promise(async (): Promise<string> => String((await once(child.stdout, "data"))[0]))
      expect(yield* next).toContain('"id":"first"')
      const coming = yield* Effect.fork(next)
      yield* Effect.yieldNow()
      yield* writeRows(files, [rowWith("k2", { id: "second" })])
      expect(yield* coming).toContain('"id":"second"')
      child.kill("SIGINT")
      expect(yield* exit).toBe(0)
      expect(errors.join("")).toBe("")
    }),
  )
})
