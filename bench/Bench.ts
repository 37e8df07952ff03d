/**
 * `npm run bench`: Sluice, what can be done at best, and others, in front of one mock, in interleaved rounds of one run. Writes docs/performance.md
 * and bench/results.json.
 *
 * `BENCH_ROUNDS` (5), `BENCH_SECONDS` (3) for each sample, `BENCH_TRIES` (5) at most of a sample that others disturbed, `BENCH_ONLY` names scenarios by a
 * pattern; then nothing is written.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { HandoverResult, LoadPlan, LoadResult, Sample } from "./Figures.ts"
import {
  busySeconds,
  canPin,
  cpuSeconds,
  forgetPeak,
  peakMb,
  residentMb,
  type Started,
  start,
} from "./Processes.ts"
import { type Results, render, type Starts, withResults } from "./Report.ts"
import { behavioursOf, type Scenario, scenarios } from "./Scenarios.ts"
import type { MakeSubject, Subject } from "./Subjects.ts"

const numberFrom = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise)

const rounds = numberFrom("BENCH_ROUNDS", 5)
const seconds = numberFrom("BENCH_SECONDS", 3)
const only = process.env["BENCH_ONLY"]
const isChosen = (name: string): boolean => only === undefined || new RegExp(only).test(name)

const otherCore = 1
const node = (program: string, args: ReadonlyArray<string>): Started =>
  start(process.execPath, [program, ...args], { core: otherCore })

/** A sample is disturbed where others took more than this share of a core meanwhile. */
const disturbedAt = 0.1
const mostTries = numberFrom("BENCH_TRIES", 5)

const mock = node("dist/bench-mock.js", [])
const mockPort = Number(await mock.line())
const mockPids = [mock.child.pid ?? 0]

let thrownAway = 0

const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"))
process.on("exit", () => rmSync(folder, { recursive: true, force: true }))
const planPath = join(folder, "plan.json")

/** One sample; taken again where the machine was disturbed. */
const sample = async (
  scenario: Scenario,
  subject: Subject,
  measureMs: number,
  tries = mostTries,
): Promise<Sample> => {
  const { behaviour, body, connections, kind, rampMs, warmMs } = scenario
  const plan: LoadPlan = {
    body: body(behaviour),
    ...subject.request(behaviour),
    kind,
    connections,
    rampMs,
    warmMs,
    measureMs,
    lingers: subject.weigh !== undefined,
  }
  for (let tried = 1; ; tried++) {
    const pids = subject.pids()
    const before = await subject.weigh?.()
    forgetPeak(pids)
    writeFileSync(planPath, JSON.stringify(plan))
    const load = node("dist/bench-load.js", [planPath])
    await load.line()
    await subject.longestHold?.()
    const taken = { busy: busySeconds(), subject: cpuSeconds(pids), mock: cpuSeconds(mockPids) }
    const own = process.cpuUsage()
    await load.line()
    const subjectSeconds = cpuSeconds(pids) - taken.subject
    const mockSeconds = cpuSeconds(mockPids) - taken.mock
    const busy = busySeconds() - taken.busy
    const { system, user } = process.cpuUsage(own)
    const peak = peakMb(pids)
    const hold = await subject.longestHold?.()
    const held = await subject.weigh?.()
    if (plan.lingers) load.child.kill("SIGUSR2")
    const result: LoadResult = JSON.parse(await load.line())
    const others = busy - subjectSeconds - mockSeconds - result.busy * result.seconds - (system + user) / 1e6
    if (others / result.seconds <= disturbedAt || tried >= tries) {
      return {
        ...result,
        cpuSeconds: subjectSeconds,
        peakMb: peak,
        mockBusy: mockSeconds / result.seconds,
        ...(hold === undefined ? {} : { holdMs: hold }),
        ...(held === undefined ? {} : { heldKb: (held - (before ?? 0)) / 1_024 / result.begun }),
      }
    }
    thrownAway++
  }
}

const startCount = 5

/** After so long a process that nobody asks anything has given back what it took to start. */
const restMs = 20_000

/** The time each start takes from nothing, the most memory that it takes, and what is left of that. */
const startOf = async (make: MakeSubject): Promise<Starts | undefined> => {
  const milliseconds: Array<number> = []
  let startMb = 0
  let restMb = 0
  for (let round = 1; round <= startCount; round++) {
    const subject = await make(mockPort, ["plain"])
    if (subject === undefined) return undefined
    await sleep(1_500)
    startMb = Math.max(startMb, peakMb(subject.pids()))
    milliseconds.push(subject.startMs)
    if (round === startCount) {
      await sleep(restMs)
      restMb = residentMb(subject.pids())
    }
    await subject.stop()
  }
  return { milliseconds, startMb, restMb }
}

const results: Array<Results["scenarios"][number]> = []
const starts: Record<string, Starts> = {}
let handover: HandoverResult | undefined

/** What there is, or some of it. */
const told = (some: Partial<Results> = {}): Results => ({
  scenarios: results,
  starts,
  handover,
  thrownAway,
  canPin,
  measuredAt: new Date(),
  ...some,
})

const say = (what: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${what}`)

for (const scenario of scenarios.filter(({ name }) => isChosen(name))) {
  say(scenario.name)
  const subjects: Array<Subject> = []
  for (const make of scenario.subjects) {
    const subject = await make(mockPort, behavioursOf(scenarios))
    if (subject !== undefined) subjects.push(subject)
  }
  // Until a compiler has seen all it needs to: 10 to 20 s for the larger ones.
  for (const subject of subjects) {
    const { firstHeat, heatMs } = scenario
    if (firstHeat !== undefined) {
      await sample({ ...scenario, ...firstHeat, rampMs: 0, warmMs: 0 }, subject, firstHeat.heatMs, 1)
    }
    await sample(scenario, subject, heatMs * subject.heatTimes, 1)
  }
  const samples = new Map<string, Array<Sample>>(subjects.map(({ name }) => [name, []]))
  for (let round = 0; round < (scenario.rounds ?? rounds); round++) {
    const order = subjects.map((_, at) => subjects[(at + round) % subjects.length])
    for (const subject of order) {
      if (subject === undefined) continue
      samples.get(subject.name)?.push(await sample(scenario, subject, scenario.measureMs ?? seconds * 1_000))
    }
  }
  results.push({ name: scenario.name, samples: Object.fromEntries(samples) })
  console.log(render(told({ scenarios: results.slice(-1) })))
  for (const subject of subjects) await subject.stop()
}

const handoverScenario = "the audit's hold on the event loop"
if (isChosen(handoverScenario)) {
  say(handoverScenario)
  const measuring = start(process.execPath, ["dist/bench-handover.js"])
  handover = JSON.parse(await measuring.line())
  await measuring.stop()
  console.log(render(told({ scenarios: [] })))
}

const startScenario = "start and idle memory"
if (isChosen(startScenario)) {
  say(startScenario)
  for (const make of scenarios[0]?.subjects.slice(1) ?? []) {
    const subject = await make(mockPort, ["plain"])
    const { name } = subject ?? { name: "" }
    await subject?.stop()
    const started = await startOf(make)
    if (started !== undefined) starts[name] = started
  }
  console.log(render(told({ scenarios: [], handover: undefined })))
}

if (only === undefined) {
  const all = told()
  const document = "docs/performance.md"
  writeFileSync(document, withResults(readFileSync(document, "utf8"), render(all)))
  writeFileSync("bench/results.json", `${JSON.stringify(all, null, 1)}\n`)
  console.log(`written: ${document}, bench/results.json`)
}
mock.child.kill()
process.exit(0)
