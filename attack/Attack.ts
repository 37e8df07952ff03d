/**
 * `npm run attack`: minutes of everything hostile at once, at the built gateway with the settings it has by default, beside ten callers that use it as
 * people do. Hostile bodies, slow senders and readers, strangers, floods, a greedy caller with a key, and providers that do their worst take turns with
 * quiet, in which the same callers are measured on the same machine. Exits 1 where an ordinary request failed or waited too long, memory outgrew its
 * bound, a row was lost, or a secret was seen.
 *
 * `ATTACK_MINUTES` (10) or `ATTACK_SECONDS` say how long, quiet included; `ATTACK_REPORT` names a file for the figures; `ATTACK_MB` is the bound on
 * memory (that of the pod in deploy/kubernetes.yaml), `ATTACK_ADDED_MS` (250) how much longer ordinary callers may wait at p99, `ATTACK_ONLY` a part of
 * the names of the attacks to try alone.
 */
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Subject, startSubject } from "../soak/Subject.ts"
import { startPart } from "./Children.ts"
import * as HostileCallers from "./HostileCallers.ts"
import * as HostileProviders from "./HostileProviders.ts"
import * as OrdinaryCallers from "./OrdinaryCallers.ts"
import { configOf, keysOfCallers, type Phase, phasesOf, plantedKeys } from "./Plan.ts"
import { latencyOf, missesOf } from "./Verdict.ts"

const numberFrom = (name: string, otherwise: number): number => {
  const said = process.env[name]
  const value = said === undefined ? otherwise : Number(said)
  if (!Number.isFinite(value) || value <= 0) {
    console.error(`${name} must be a number above 0, not ${JSON.stringify(said)}`)
    process.exit(2)
  }
  return value
}

/** The limit of deploy/kubernetes.yaml, and what Node takes of it for its heap. */
const podMb = 2_048
const heapOfPod = `--max-old-space-size=${podMb / 2}`

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const secrets = [...plantedKeys, ...keysOfCallers]

/** Places where a secret stands, of texts and files that nobody should find one in. */
const secretsIn = (place: string, text: string): ReadonlyArray<string> =>
  secrets.filter((secret) => text.includes(secret)).map((secret) => `${secret.slice(0, 8)}… in ${place}`)

interface Held {
  /** When it began, epoch milliseconds. */
  readonly from: number
  readonly ms: number
  /** Of a core, by the loop's own thread. */
  readonly workedMs: number
}

/** So much of a file is looked through at once: minutes of attack leave more in the database than one string may hold. */
const readBytes = 16 * 1024 * 1024

/** A file's bytes in pieces, each with the end of the one before it, so that no key is cut in two. */
function* textsOf(path: string): Generator<string> {
  const file = openSync(path, "r")
  const bytes = Buffer.alloc(readBytes)
  let before = ""
  for (let length = readSync(file, bytes); length > 0; length = readSync(file, bytes)) {
    const text = before + bytes.toString("latin1", 0, length)
    yield text
    before = text.slice(-longestSecret)
  }
  closeSync(file)
}

/** Longer ones are not planted. */
const longestSecret = 1_024

/** The longest standstill of the loop in each second, or in as long as it stood still. */
const holdsIn = (folder: string): ReadonlyArray<Held> => {
  const path = join(folder, "held")
  if (!existsSync(path)) return []
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [at = 0, ms = 0, workedMs = 0] = line.split(" ").map(Number)
      return { from: at - ms, ms, workedMs }
    })
}

const longestOf = (holds: ReadonlyArray<Held>) => ({
  ms: Math.max(0, ...holds.map(({ ms }) => ms)),
  workedMs: Math.max(0, ...holds.map(({ workedMs }) => workedMs)),
})

const asReport =
  <Report>() =>
  (report: unknown): Report =>
    // The other side is this very program.
    JSON.parse(JSON.stringify(report))

const lead = async (): Promise<void> => {
  const seconds = numberFrom("ATTACK_SECONDS", numberFrom("ATTACK_MINUTES", 10) * 60)
  const goals = {
    addedP99Ms: numberFrom("ATTACK_ADDED_MS", 250),
    peakMb: numberFrom("ATTACK_MB", podMb),
  }
  const ordinary = startPart("ordinary-callers", [], asReport<OrdinaryCallers.OrdinaryReport>())
  const providers = startPart("hostile-providers", [], Number)
  const parts: Array<{ readonly kill: () => void }> = [ordinary, providers]
  process.on("exit", () => {
    for (const part of parts) part.kill()
  })

  const leaks = new Set<string>()
  const config = configOf(await ordinary.ready, await providers.ready)
  const subject: Subject = await startSubject(config, {
    nodeArgs: [heapOfPod, "--import", `${process.cwd()}/dist/attack-watch.js`],
    onLine: (line) => {
      for (const leak of secretsIn("the log", line)) leaks.add(`${leak}: ${line.slice(0, 200)}`)
    },
  })
  process.on("exit", () => subject.dispose())
  const hostile = startPart(
    "hostile-callers",
    [String(subject.port), process.env["ATTACK_ONLY"] ?? ""],
    asReport<HostileCallers.HostileReport>(),
  )
  parts.push(hostile)
  await hostile.ready
  ordinary.tell(String(subject.port))
  const idle = subject.figures()
  console.log(`attacking for ${seconds} s; idle: ${idle.rssMb.toFixed(0)} MB, ${idle.fds} descriptors`)

  const startedAt = Date.now()
  const spans: Array<{ readonly phase: Phase; readonly from: number; readonly to: number }> = []
  const holdsOf = (wanted: Phase) => {
    const own = spans.filter(({ phase }) => phase === wanted)
    return holdsIn(subject.folder).filter(({ from }) =>
      own.some((span) => from >= span.from && from < span.to),
    )
  }
  for (const { phase, seconds: span } of phasesOf(seconds)) {
    const from = Date.now()
    for (const part of [ordinary, providers, hostile]) part.enter(phase)
    await sleep(span * 1_000)
    spans.push({ phase, from, to: Date.now() })
    if (phase !== "attack") continue
    const { fds, rssMb } = subject.figures()
    const held = longestOf(holdsOf("attack").filter((one) => one.from >= from))
    console.log(
      `${((Date.now() - startedAt) / 1_000).toFixed(0)} s: ${rssMb.toFixed(0)} MB (peak ${subject.peakMb().toFixed(0)}), ${fds} descriptors, loop held ${held.ms.toFixed(0)} ms, ${held.workedMs.toFixed(0)} of them by its own work`,
    )
  }
  const peakMb = subject.peakMb()
  const ordinaryReport = await ordinary.end()
  const hostileReport = await hostile.end()
  const asked = await providers.end()
  const health = await (await fetch(`http://127.0.0.1:${subject.port}/health`)).text()
  const after = subject.figures()
  const exitCode = await subject.end()
  const audited = subject.auditedIds()
  for (const leak of secretsIn("/health", health)) leaks.add(leak)
  for (const name of readdirSync(subject.folder).filter((name) => !name.startsWith("config.yaml"))) {
    for (const text of textsOf(join(subject.folder, name))) {
      for (const leak of secretsIn(name, text)) leaks.add(leak)
    }
  }

  const expected = [...ordinaryReport.ids, ...hostileReport.ids]
  const outcome = {
    quiet: latencyOf(ordinaryReport.quietMs),
    attack: latencyOf(ordinaryReport.attackMs),
    failures: ordinaryReport.failures,
    peakMb,
    lostRows: expected.filter((id) => !audited.has(id)),
    doubledRows: expected.filter((id) => (audited.get(id) ?? 0) > 1),
    secrets: [...leaks, ...hostileReport.seen],
    unexpected: subject.unexpected(),
    exitCode,
  }
  const misses = missesOf(outcome, goals)
  const figures = {
    seconds,
    node: process.version,
    quiet: outcome.quiet,
    attack: outcome.attack,
    ordinaryFailures: outcome.failures.length,
    rows: {
      expected: expected.length,
      lost: outcome.lostRows.length,
      doubled: outcome.doubledRows.length,
      inAll: audited.size,
    },
    rssMb: {
      idle: Math.round(idle.rssMb),
      peak: Math.round(peakMb),
      end: Math.round(after.rssMb),
      allowed: goals.peakMb,
    },
    descriptors: { idle: idle.fds, end: after.fds },
    loopHeld: {
      quiet: longestOf(holdsOf("quiet")),
      attack: longestOf(holdsOf("attack")),
    },
    requestsToHostileProviders: asked,
    tried: hostileReport.tried,
    misses,
  }
  const report = JSON.stringify(figures, null, 2)
  console.log(report)
  const reportPath = process.env["ATTACK_REPORT"]
  if (reportPath !== undefined) writeFileSync(reportPath, `${report}\n`)
  console.log(
    misses.length === 0
      ? "nobody was stopped, nothing was lost, nothing was told"
      : `${misses.length} goals missed`,
  )
  process.exit(misses.length === 0 ? 0 : 1)
}

const [, , role, port, only] = process.argv
switch (role) {
  case "ordinary-callers":
    await OrdinaryCallers.run()
    break
  case "hostile-providers":
    HostileProviders.run()
    break
  case "hostile-callers":
    HostileCallers.run(Number(port), only ?? "")
    break
  default:
    await lead()
}
