/**
 * The audit of the process people run: after any mixture of requests, however the process ended, there is one row for each.
 *
 * `AUDIT_REQUESTS=100000`, `AUDIT_KILLS=50` and `AUDIT_LOCK_SECONDS=30` make the runs long.
 */
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { Agent, request } from "node:http"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import * as Effect from "effect/Effect"
import { addressOf, type GatewayProcess, sluice } from "../support/process.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const total = Number(process.env["AUDIT_REQUESTS"] ?? 1500)
const kills = Number(process.env["AUDIT_KILLS"] ?? 3)
const lockSeconds = Number(process.env["AUDIT_LOCK_SECONDS"] ?? 1)
const atOnce = 32

const kinds = ["plain", "stream", "failed", "unknown", "malformed", "left"] as const
type Kind = (typeof kinds)[number]

/** How a request ended for its caller. */
interface Seen {
  readonly id: string
  readonly kind: Kind
  readonly status: number | undefined
  readonly at: number
}

const bodyOf = (kind: Kind): string => {
  const messages = [{ role: "user", content: "hello" }]
  switch (kind) {
    case "malformed":
      return "{"
    case "unknown":
      return JSON.stringify({ model: "nobody", messages })
    case "failed":
      return JSON.stringify({ model: "gpt-bad", messages })
    case "left":
      return JSON.stringify({ model: "gpt-slow", messages })
    default:
      return JSON.stringify({ model: "gpt-good", stream: kind === "stream", messages })
  }
}

/** Sends one request, and leaves early where that is its kind. Never fails: a refused or cut connection has no status. */
const ask = (agent: Agent, address: string, id: string, kind: Kind): Promise<Seen> =>
  new Promise((resolve) => {
    const done = (status: number | undefined) => resolve({ id, kind, status, at: Date.now() })
    const outgoing = request(`${address}/v1/chat/completions`, {
      method: "POST",
      agent,
      headers: { "x-request-id": id, authorization: "Bearer sk-never-to-be-kept" },
    })
    outgoing.on("response", (response) => {
      response.resume()
      response.once("end", () => done(response.statusCode))
      response.once("error", () => done(undefined))
    })
    outgoing.once("error", () => done(undefined))
    outgoing.end(bodyOf(kind))
    if (kind === "left") setTimeout(() => outgoing.destroy(), 20 + (Number(id.slice(1)) % 20))
  })

const upstreamScript: Scripted.Script = (incoming) => {
  const text = incoming.bytes.toString()
  if (text.includes("gpt-bad")) return Scripted.status(500, { error: { message: "out of order" } })
  return text.includes("gpt-slow") ? Scripted.hang() : Scripted.chat("the answer")
}

const configOf = (url: string) => `
retry: { rounds: 1 }
openai_clients:
  - { name: only, base_url: "${url}", api_key: sk-own, model_match: { type: keyword, value: [gpt] } }
`

interface Row {
  readonly id: string
  readonly outcome: string
  readonly status: number
}

const exported = (database: string): ReadonlyArray<Row> => {
  const text = execFileSync(
    process.execPath,
    ["dist/sluice.js", "audit", "export", "--json", "--db", database],
    {
      encoding: "utf8",
      maxBuffer: 1 << 30,
    },
  )
  expect(text).not.toContain("sk-never-to-be-kept")
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Row => JSON.parse(line))
}

const countById = (rows: ReadonlyArray<Row>): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const { id } of rows) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

const setting = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped()
  const upstream = yield* Scripted.scriptedUpstream(upstreamScript)
  yield* files.writeFileString(`${folder}/config.yaml`, configOf(upstream.url))
  const database = `${folder}/record.db`
  const start = sluice(["serve", "--config", `${folder}/config.yaml`, "--port", "0"], {
    AUDIT_URL: `sqlite:${database}`,
  })
  return { database, start }
})

const endInOrder = (gateway: GatewayProcess) =>
  Effect.gen(function* () {
    yield* gateway.signal("SIGTERM")
    expect((yield* gateway.exited).code).toBe(0)
  })

/** What lies in the spill is brought home at a start. */
const startAndEnd = <E, R>(start: Effect.Effect<GatewayProcess, E, R>) =>
  Effect.flatMap(start, (gateway) => Effect.zipRight(addressOf(gateway), endInOrder(gateway)))

/** The promise is 100 ms; a machine whose cores are busy with other tests gets more before a row counts as lost. */
const allowanceMs = 400

const agentScoped = Effect.acquireRelease(
  Effect.sync(() => new Agent({ keepAlive: true, maxSockets: atOnce })),
  (agent) => Effect.sync(() => agent.destroy()),
)

describe("The audit of a running gateway", () => {
  it.scopedLive(
    "has one row for each request that was answered or left, over a SIGTERM in the middle of the load",
    () =>
      Effect.gen(function* () {
        const { database, start } = yield* setting
        const gateway = yield* start
        const address = yield* addressOf(gateway)
        const agent = yield* agentScoped
        const seen: Array<Seen> = []
        let next = 0
        let stopped = false
        const lane = async () => {
          while (next < total && !stopped) {
            const index = next++
            if (index === Math.floor((total * 3) / 4)) gateway.process.kill("SIGTERM")
            const one = await ask(agent, address, `r${index}`, kinds[index % kinds.length] ?? "plain")
            if (one.status === undefined && one.kind !== "left") stopped = true
            else seen.push(one)
          }
        }
        yield* Effect.promise(() => Promise.all(Array.from({ length: atOnce }, lane)))
        expect((yield* gateway.exited).code).toBe(0)

        const rows = exported(database)
        const counts = countById(rows)
        expect([...counts.values()].every((count) => count === 1)).toBe(true)
        const answered = seen.filter(({ status }) => status !== undefined)
        expect(answered.length).toBeGreaterThan(total / 2)
        const statuses = new Map(rows.map(({ id, status }) => [id, status]))
        for (const { id, status } of answered) expect([id, statuses.get(id)]).toEqual([id, status])
        // What was left before the gateway had taken it has no row; what is no answer to anybody has none but these.
        const asked = new Set(seen.map(({ id }) => id))
        const others = rows.filter(({ id }) => !asked.has(id))
        expect(others.every(({ outcome }) => outcome === "client_closed")).toBe(true)
        const expected: Record<Kind, string> = {
          plain: "ok",
          stream: "ok",
          failed: "upstream_error",
          unknown: "rejected",
          malformed: "rejected",
          left: "client_closed",
        }
        const outcomes = new Map(rows.map((row) => [row.id, row]))
        for (const { id, kind } of seen) {
          const row = outcomes.get(id)
          // While the gateway drains, whatever arrives is refused.
          if (row !== undefined && row.status !== 503) {
            expect([kind, row.outcome]).toEqual([kind, expected[kind]])
          }
        }
      }).pipe(Effect.provide(NodeContext.layer)),
    600_000,
  )

  it.scopedLive(
    "loses nothing that had ended before a kill -9 and doubles nothing, time and again",
    () =>
      Effect.gen(function* () {
        const { database, start } = yield* setting
        const finished: Array<Seen & { readonly killedAt: number }> = []
        for (let round = 0; round < kills; round++) {
          yield* Effect.scoped(
            Effect.gen(function* () {
              const gateway = yield* start
              const address = yield* addressOf(gateway)
              const agent = yield* agentScoped
              const seen: Array<Seen> = []
              let killedAt = 0
              let index = round * 1_000_000
              const lane = async () => {
                while (killedAt === 0) {
                  const one = await ask(agent, address, `r${index++}`, index % 2 === 0 ? "plain" : "stream")
                  if (one.status !== 200) continue
                  seen.push(one)
                  // In the middle of the load, as soon as some of it is long over.
                  const [first = one] = seen
                  if (killedAt === 0 && one.at - first.at > allowanceMs + 50 + 7 * round) {
                    killedAt = Date.now()
                    gateway.process.kill("SIGKILL")
                  }
                }
              }
              yield* Effect.promise(() => Promise.all(Array.from({ length: 8 }, lane)))
              yield* gateway.exited
              finished.push(...seen.map((one) => ({ ...one, killedAt })))
            }),
          )
        }
        // The next start brings home what lay in the spill.
        yield* Effect.scoped(startAndEnd(start))
        expect(existsSync(database)).toBe(true)
        const counts = countById(exported(database))
        expect([...counts.values()].every((count) => count === 1)).toBe(true)
        const due = finished.filter(({ at, killedAt }) => at < killedAt - allowanceMs)
        expect(due.length).toBeGreaterThan(0)
        expect(due.filter(({ id }) => !counts.has(id))).toEqual([])
      }).pipe(Effect.provide(NodeContext.layer)),
    600_000,
  )

  it.scopedLive(
    "goes on answering while another process holds the database, and keeps every row",
    () =>
      Effect.gen(function* () {
        const { database, start } = yield* setting
        const gateway = yield* start
        const address = yield* addressOf(gateway)
        const agent = yield* agentScoped
        const first = yield* Effect.promise(() => ask(agent, address, "before", "plain"))
        expect(first.status).toBe(200)

        const other = yield* Effect.acquireRelease(
          Effect.sync(() => new Sqlite(database, { timeout: 10_000 })),
          (connection) => Effect.sync(() => connection.close()),
        )
        other.exec("BEGIN EXCLUSIVE")
        const until = Date.now() + lockSeconds * 1000
        const whileLocked: Array<Seen> = []
        let next = 0
        const lane = async () => {
          while (Date.now() < until) {
            const index = next++
            whileLocked.push(await ask(agent, address, `r${index}`, index % 2 === 0 ? "plain" : "stream"))
          }
        }
        yield* Effect.promise(() => Promise.all(Array.from({ length: 8 }, lane)))
        const health: unknown = yield* Effect.promise(() =>
          fetch(`${address}/health`).then((answer) => answer.json()),
        )
        other.exec("COMMIT")

        // All were answered before the lock was let go, and none of their rows had been written or lost.
        expect(whileLocked.length).toBeGreaterThan(8)
        expect(new Set(whileLocked.map(({ status }) => status))).toEqual(new Set([200]))
        expect(health).toMatchObject({ audit: { lost: 0 } })
        yield* endInOrder(gateway)
        yield* startAndEnd(start)
        const counts = countById(exported(database))
        expect([...counts.values()].every((count) => count === 1)).toBe(true)
        expect(counts.size).toBe(whileLocked.length + 1)
      }).pipe(Effect.provide(NodeContext.layer)),
    600_000,
  )
})
