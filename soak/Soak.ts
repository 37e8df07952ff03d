/**
 * `npm run soak`: minutes of everything at once. Providers that fail in every way, callers of every kind, edits of the configuration, good and
 * bad, and a database that another process holds, all at the built gateway; then a look at what is left. Exits 1 where anything leaked, was
 * lost, was doubled, or was answered in a way it never may be.
 *
 * `SOAK_MINUTES` (5) or `SOAK_SECONDS` say how long, `SOAK_SEED` (1) repeats the draws, `SOAK_CALLERS` (24) call at once, `SOAK_REPORT` names a
 * file for the figures.
 */
import { writeFileSync } from "node:fs"
import { newLedger, startCaller } from "./Callers.ts"
import { chanceOf } from "./Chance.ts"
import { startProvider } from "./Providers.ts"
import { startSubject } from "./Subject.ts"
import { isFlat, judgedFromMinutes, type Sample, trendOf } from "./Verdict.ts"

const numberFrom = (name: string, otherwise: number): number => {
  const said = process.env[name]
  const value = said === undefined ? otherwise : Number(said)
  if (!Number.isFinite(value) || value < 0) {
    console.error(`${name} must be a number, not ${JSON.stringify(said)}`)
    process.exit(2)
  }
  return value
}

const seconds = numberFrom("SOAK_SECONDS", numberFrom("SOAK_MINUTES", 5) * 60)
const seed = numberFrom("SOAK_SEED", 1)
const callerCount = numberFrom("SOAK_CALLERS", 24)
const reportPath = process.env["SOAK_REPORT"]

/** Between two requests of one caller, so that a soak is long and varied rather than as fast as the machine. */
const longestPauseMs = 300

const sampleEveryMs = 1_000
const judgeEverySamples = 5
const sayEveryMs = 10_000
const editEveryMs = 7_000
const lockEveryMs = 45_000
const lockMs = 2_500
/** How long after the load everything may take to be closed again. */
const quietMs = 20_000

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const good = await startProvider("well", chanceOf(seed + 1))
const faulty = await startProvider("faulty", chanceOf(seed + 2))

const entry = (name: string, url: string, more: string): string =>
  `  - { name: ${name}, base_url: "${url}", api_key: sk-soak, ${more} }\n`

const configOf = (weight: number): string => `
retry: { rounds: 2, base_delay_ms: 20, max_delay_ms: 100 }
breaker: { failures: 5, open_ms: 300, max_open_ms: 1500 }
timeouts: { connect_ms: 1000, first_byte_ms: 800, idle_ms: 800, total_ms: 8000, request_ms: 15000 }
server: { max_body_bytes: 6000000, max_in_flight: 200, max_buffered_bytes: 60000000 }
models_cache: { ttl_seconds: 1 }
audit: { max_body_bytes: 20000 }
openai_clients:
${entry("good", good.url, `priority: ${weight}, model_match: { type: keyword, value: [soak-1] }`)}${entry(
  "cleaned",
  good.url,
  `special_prefix: "[soak] ", thinking_format: strip, model_match: { type: keyword, value: [soak-1] }`,
)}${entry("hedged", faulty.url, "hedge_after_ms: 200, model_match: { type: keyword, value: [soak-1] }")}${entry(
  "faulty",
  faulty.url,
  "model_match: { type: exact, value: [soak-faulty, soak-resumed] }",
)}${entry("resuming", good.url, "priority: 0, resume: true, model_match: { type: exact, value: [soak-resumed] }")}${entry(
  "narrow",
  good.url,
  "max_concurrent: 1, max_waiting: 1, max_wait_ms: 50, model_match: { type: exact, value: [soak-narrow] }",
)}`

const subject = await startSubject(configOf(1))
process.on("exit", () => subject.dispose())

await subject.health()
// The thread for long bodies is started by the first of them, and stays: it is no leak.
const first = await fetch(`http://127.0.0.1:${subject.port}/v1/chat/completions`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ model: "soak-1", messages: [{ role: "user", content: "z".repeat(5_000_000) }] }),
})
await first.arrayBuffer()
const idle = subject.figures()
console.log(
  `soaking for ${seconds} s, seed ${seed}, ${callerCount} callers; idle: ${idle.rssMb.toFixed(0)} MB, ${idle.fds} descriptors`,
)

const ledger = newLedger()
const startedAt = Date.now()
const isOver = () => Date.now() - startedAt >= seconds * 1_000

const callers = Array.from({ length: callerCount }, (_, at) => {
  const chance = chanceOf(seed * 1_000 + at)
  return { chance, caller: startCaller(subject.port, chance, ledger, String(at)) }
})
const load = callers.map(async ({ caller, chance }) => {
  while (!isOver()) {
    await caller.call()
    await sleep(chance.between(0, longestPauseMs))
  }
})

const samples: Array<Sample> = []
let edits = 0
const every = (ms: number, act: () => void): NodeJS.Timeout => setInterval(act, ms)
const timers = [
  every(sampleEveryMs, () => {
    samples.push({ seconds: (Date.now() - startedAt) / 1_000, ...subject.figures() })
  }),
  every(sayEveryMs, () => {
    const now = samples.at(-1)
    console.log(
      `${now?.seconds.toFixed(0)} s: ${ledger.answered.size} answered, ${ledger.left.size} left, ${now?.rssMb.toFixed(0)} MB, ${now?.fds} descriptors, ${ledger.complaints.length} complaints`,
    )
  }),
  every(editEveryMs, () => {
    edits += 1
    subject.reload(edits % 3 === 2 ? "openai_clients: [{ nam: x" : configOf(1 + (edits % 5)))
  }),
  every(lockEveryMs, () => void subject.lockAudit(lockMs)),
]
await Promise.all(load)
for (const timer of timers) clearInterval(timer)
const elapsed = (Date.now() - startedAt) / 1_000
for (const { caller } of callers) caller.close()

const isIdle = async (): Promise<boolean> => {
  good.closeIdle()
  faulty.closeIdle()
  const { audit, requests, upstreams } = await subject.health()
  return (
    requests.in_flight === 0 &&
    requests.buffered_bytes === 0 &&
    audit.queued === 0 &&
    audit.spilled === 0 &&
    upstreams.every(({ in_flight, waiting }) => in_flight === 0 && waiting === 0) &&
    subject.figures().fds <= idle.fds + 2
  )
}
let isQuiet = false
const quietUntil = Date.now() + quietMs
while (!isQuiet && Date.now() < quietUntil) {
  await sleep(250)
  isQuiet = await isIdle()
}
const after = { ...subject.figures(), health: await subject.health() }
const code = await subject.end()
const audited = subject.auditedIds()

const missing = [...ledger.answered].filter((id) => !audited.has(id))
const doubled = [...audited].filter(([id, times]) => id.startsWith("soak-") && times > 1).map(([id]) => id)
const unknown = [...audited.keys()].filter(
  (id) => id.startsWith("soak-") && !ledger.answered.has(id) && !ledger.left.has(id),
)
const trend = trendOf(samples.filter((_, at) => at % judgeEverySamples === 0))
const isJudged = trend.minutes >= judgedFromMinutes

const findings = [
  ...ledger.complaints,
  ...subject.unexpected().map((line) => `it said: ${line.slice(0, 500)}`),
  ...(code === 0 ? [] : [`it ended with code ${code}`]),
  ...(isQuiet
    ? []
    : [
        `not everything was closed ${quietMs / 1_000} s after the load: ${JSON.stringify(after)}, idle ${idle.fds}`,
      ]),
  ...(missing.length === 0
    ? []
    : [`${missing.length} answered requests are not in the audit: ${missing.slice(0, 5)}`]),
  ...(doubled.length === 0
    ? []
    : [`${doubled.length} requests are in the audit twice: ${doubled.slice(0, 5)}`]),
  ...(unknown.length === 0
    ? []
    : [`${unknown.length} rows of requests that nobody sent: ${unknown.slice(0, 5)}`]),
  ...(!isJudged || isFlat(trend)
    ? []
    : [`memory grew by ${trend.growthMb.toFixed(1)} MB in ${trend.minutes.toFixed(0)} minutes`]),
]

const peak = samples.reduce((most, { rssMb }) => Math.max(most, rssMb), 0)
const figures = {
  seed,
  seconds: Math.round(elapsed),
  requests: ledger.answered.size + ledger.left.size,
  perSecond: Math.round((ledger.answered.size + ledger.left.size) / elapsed),
  answered: ledger.answered.size,
  left: ledger.left.size,
  audited: [...audited.keys()].filter((id) => id.startsWith("soak-")).length,
  edits,
  rssMb: { idle: Math.round(idle.rssMb), peak: Math.round(peak), end: Math.round(after.rssMb) },
  descriptors: { idle: idle.fds, end: after.fds },
  trend: {
    minutes: Number(trend.minutes.toFixed(1)),
    growthMb: Number(trend.growthMb.toFixed(1)),
    noiseMb: Number(trend.noiseMb.toFixed(1)),
    isJudged,
  },
  statuses: Object.fromEntries([...ledger.statuses].sort()),
  findings,
}
const report = JSON.stringify(figures, null, 2)
console.log(report)
if (reportPath !== undefined) writeFileSync(reportPath, `${report}\n`)
good.close()
faulty.close()
console.log(findings.length === 0 ? "nothing leaked, nothing was lost" : `${findings.length} findings`)
process.exit(findings.length === 0 ? 0 : 1)
