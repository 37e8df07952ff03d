/**
 * How long the audit holds the event loop: records packed as they are at the end of a request, and batches of them handed to the audit's thread, on a
 * loop that does nothing else. Prints a `HandoverResult`.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"
import { Packer } from "../src/audit/queue/Parcel.ts"
import { queuedRecord } from "../src/audit/queue/QueuedRecord.ts"
import type { AuditRecord } from "../src/audit/record/AuditRecord.ts"
import { makeThreadWriter } from "../src/audit/sqlite/ThreadWriter.ts"
import { type HandoverResult, type Quantiles, quantile } from "./Figures.ts"

const batches = 2_000
const sizes = [1, 100, 250]

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const request = bytesOf(
  JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content: "Tell me more. ".repeat(30) }] }),
)
const response = bytesOf(
  JSON.stringify({
    choices: [
      { index: 0, message: { role: "assistant", content: "It is a long established fact. ".repeat(8) } },
    ],
  }),
)

const recordOf = (id: string): AuditRecord => ({
  id,
  startedAt: Date.now(),
  clientIp: "127.0.0.1",
  endpoint: "chat.completions",
  model: "gpt-4o",
  upstreamModel: "gpt-4o",
  upstream: "official",
  attempts: [{ upstream: "official", upstreamModel: "gpt-4o", status: 200, cause: undefined, ms: 812.25 }],
  stream: false,
  status: 200,
  outcome: "ok",
  error: undefined,
  usage: {
    inputTokens: 90,
    outputTokens: 60,
    totalTokens: 150,
    cachedTokens: undefined,
    reasoningTokens: undefined,
    cacheWriteTokens: undefined,
    audioTokens: undefined,
    imageTokens: undefined,
    searchUnits: undefined,
    audioSeconds: undefined,
    images: undefined,
  },
  latencyMs: 815.123,
  ttftMs: undefined,
  finishReason: "stop",
  tools: false,
  toolCalls: false,
  multimodal: false,
  userAgent: "openai-node/6",
  keyFingerprint: "00112233aabbccdd",
  headers: { "content-type": "application/json", authorization: "[redacted]", "user-agent": "openai-node/6" },
  request,
  response: { kind: "plain", bytes: response },
  overheadMs: 0.875,
  dialect: "chat",
  upstreamRequestId: "req_0123456789abcdef",
  responseId: "chatcmpl-0123456789abcdef",
  serviceTier: "default",
  conversation: undefined,
  configHash: "0123456789ab",
  dropped: [],
  notAsked: [],
  characters: undefined,
  answerBytes: undefined,
  answerType: undefined,
})

const policy = { bodies: "full", maxBodyBytes: 1024 * 1024, retentionMonths: 0 } as const

const quantilesOf = (milliseconds: ReadonlyArray<number>): Quantiles => ({
  p50: quantile(milliseconds, 0.5),
  p99: quantile(milliseconds, 0.99),
})

/** How often the kernel took the core away from this thread to give it to another, the audit's mostly, which each batch wakes. */
const timesTaken = (): number =>
  Number(/^nonvoluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync("/proc/thread-self/status", "utf8"))?.[1])

const timed = (go: () => void): number => {
  const beganAt = performance.now()
  go()
  return performance.now() - beganAt
}

const measure = (database: string) =>
  Effect.gen(function* () {
    const writer = yield* makeThreadWriter(new URL("./audit-thread.js", import.meta.url), database)
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const packer = new Packer()
    let numbered = 0
    const packs: Array<number> = []
    const handed: Array<HandoverResult["batches"][number]> = []
    for (const records of sizes) {
      const handovers: Array<{ readonly ms: number; readonly isAlone: boolean }> = []
      for (let batch = 0; batch < batches; batch++) {
        for (let at = 0; at < records; at++) {
          const key = `bench-${numbered++}`
          packs.push(timed(() => void packer.add(queuedRecord(recordOf(key), key, policy))))
        }
        const parcel = packer.take()
        if (parcel === undefined) continue
        const taken = timesTaken()
        const beganAt = performance.now()
        const written = runFork(writer.write(parcel))
        const ms = performance.now() - beganAt
        handovers.push({ ms, isAlone: timesTaken() === taken })
        yield* Fiber.join(written)
        packer.reuse(parcel)
      }
      handed.push({
        records,
        handover: quantilesOf(handovers.map(({ ms }) => ms)),
        alone: quantilesOf(handovers.filter(({ isAlone }) => isAlone).map(({ ms }) => ms)),
        aloneShare: handovers.filter(({ isAlone }) => isAlone).length / handovers.length,
      })
    }
    return { pack: quantilesOf(packs), batches: handed } satisfies HandoverResult
  }).pipe(Effect.scoped)

const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"))
process.on("exit", () => rmSync(folder, { recursive: true, force: true }))
Effect.runPromise(measure(join(folder, "record.db"))).then((result) => {
  console.log(JSON.stringify(result))
  process.exit(0)
})
