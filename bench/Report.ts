/** The results as the tables of docs/performance.md. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { cpus, totalmem, type } from "node:os"
import {
  type Figure,
  figureOf,
  type HandoverResult,
  median,
  ratios,
  type Sample,
  type Spread,
  spread,
} from "./Figures.ts"
import { scenarios } from "./Scenarios.ts"

/** What starting a subject again and again told. */
export interface Starts {
  /** Until it answered, of each. */
  readonly milliseconds: ReadonlyArray<number>
  /** The most memory any took in its first moments. */
  readonly startMb: number
  /** What one holds that has long been idle. */
  readonly restMb: number
}

export interface Results {
  readonly scenarios: ReadonlyArray<{
    readonly name: string
    /** In the order of the rounds. */
    readonly samples: Readonly<Record<string, ReadonlyArray<Sample>>>
  }>
  readonly starts: Readonly<Record<string, Starts>>
  readonly handover: HandoverResult | undefined
  /** Samples that were disturbed. */
  readonly thrownAway: number
  readonly canPin: boolean
  readonly measuredAt: Date
}

const titles: Readonly<Record<Figure, string>> = {
  cpuPerRequest: "CPU µs a request",
  cpuPerEvent: "CPU µs an event",
  cpuSeconds: "CPU s",
  requestsPerSecond: "requests/s",
  eventsPerSecond: "events/s",
  p50: "p50 ms",
  p99: "p99 ms",
  first50: "first event, p50 ms",
  first99: "first event, p99 ms",
  peakMb: "peak MB",
  heldKb: "KB held by a stream",
  holdMs: "longest hold of the loop, ms",
}

const digits = (value: number): string =>
  value >= 1_000
    ? Math.round(value).toLocaleString("en-US")
    : value >= 100
      ? value.toFixed(0)
      : value >= 10
        ? value.toFixed(1)
        : value.toFixed(2)

const range = ({ max, median, min }: Spread): string =>
  min === max ? digits(median) : `${digits(median)} (${digits(min)}–${digits(max)})`

const row = (cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |`

const floorName = "floor"

const table = (
  figures: ReadonlyArray<Figure>,
  samples: Readonly<Record<string, ReadonlyArray<Sample>>>,
): string => {
  const floors = samples[floorName]
  const first = Object.values(samples)[0] ?? []
  const base = floors ?? first
  const cell = (figure: Figure, own: ReadonlyArray<Sample>): string => {
    const values = own.map((sample) => figureOf(figure, sample))
    if (values.every((value) => value === 0)) return "-"
    const told = range(spread(values))
    if (own === base) return told
    const by = ratios(
      values,
      base.map((sample) => figureOf(figure, sample)),
    )
    return by.length === 0
      ? told
      : `${told}<br>${digits(median(by))} × ${floors === undefined ? "the first" : "floor"}`
  }
  return [
    row(["", ...figures.map((figure) => titles[figure]), "errors"]),
    `|${"---|".repeat(figures.length + 2)}`,
    ...Object.entries(samples).map(([name, own]) =>
      row([
        name,
        ...figures.map((figure) => cell(figure, own)),
        String(own.reduce((sum, { errors }) => sum + errors, 0)),
      ]),
    ),
  ].join("\n")
}

/** `nginx version: nginx/1.22.1`, which it says on standard error. */
const nginxVersion = (): string => {
  const { stderr } = spawnSync("/usr/sbin/nginx", ["-v"], { encoding: "utf8" })
  return /nginx\/\S+/.exec(stderr ?? "")?.[0] ?? "no nginx"
}

const portkeyVersion = (): string =>
  JSON.parse(readFileSync("bench/portkey/package.json", "utf8")).dependencies["@portkey-ai/gateway"]

const dependencies = (): Readonly<Record<string, string>> =>
  JSON.parse(readFileSync("package.json", "utf8")).dependencies

const machine = ({ canPin, measuredAt, thrownAway }: Results): string => {
  const [cpu] = cpus()
  const { effect, undici } = dependencies()
  return [
    `Measured ${measuredAt.toISOString().slice(0, 10)} on ${cpus().length} cores of ${cpu?.model ?? "an unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()}, Node ${process.versions.node}, effect ${effect}, undici ${undici}.`,
    canPin
      ? "Each subject had one core for itself, the mock and the load generator shared another."
      : "Processes could not be bound to cores.",
    `${thrownAway} disturbed samples were thrown away and taken again.`,
  ].join(" ")
}

/** How much of their core the generator and the mock took at most: below 1, they were not the limit. */
const others = (samples: Readonly<Record<string, ReadonlyArray<Sample>>>): string => {
  const behind = Object.entries(samples).filter(([name]) => name !== "direct")
  const most = Math.max(...behind.flatMap(([, own]) => own.map(({ busy, mockBusy }) => busy + mockBusy)))
  return `Mock and generator took at most ${Math.round(most * 100)} % of their core.`
}

const handoverTable = ({ batches, pack }: HandoverResult): string =>
  `### The audit's hold on the event loop\n\nOn a loop that does nothing else: a record of 900 bytes as its request ends, and handing so many over to the audit's thread, 2,000 times each.\n\n${[
    row(["", "p50 ms", "p99 ms", "p99 ms, no other thread had the core"]),
    "|---|---|---|---|",
    row(["packing a record", digits(pack.p50), digits(pack.p99), "-"]),
    ...batches.map(({ alone, aloneShare, handover, records }) =>
      row([
        `handing over ${records} ${records === 1 ? "record" : "records"}`,
        digits(handover.p50),
        digits(handover.p99),
        `${digits(alone.p99)} (${Math.round(100 * aloneShare)} % of them)`,
      ]),
    ),
  ].join("\n")}`

export const render = (results: Results): string => {
  const parts = results.scenarios.map(({ name, samples }) => {
    const scenario = scenarios.find((one) => one.name === name)
    const rounds = Object.values(samples)[0]?.length ?? 0
    return `### ${name[0]?.toUpperCase()}${name.slice(1)}\n\n${scenario?.words ?? ""} ${rounds} ${rounds === 1 ? "round" : "rounds"}. ${others(samples)}\n\n${table(scenario?.figures ?? [], samples)}`
  })
  const { handover } = results
  const starts = Object.entries(results.starts)
  const held = handover === undefined ? [] : [handoverTable(handover)]
  if (starts.length === 0) return [...parts, ...held].join("\n\n")
  return [
    machine(results),
    ...parts,
    ...held,
    `### Start and idle memory\n\nUntil it answers \`/readyz\`, five times; at most in its first 1.5 s, and after 20 s in which nobody asked it anything.\n\n${[
      row(["", "ms until it answers", "MB at most", "MB at rest"]),
      "|---|---|---|---|",
      ...starts.map(([name, { milliseconds, restMb, startMb }]) =>
        row([name, range(spread(milliseconds)), digits(startMb), digits(restMb)]),
      ),
    ].join("\n")}`,
    `Portkey's gateway ${portkeyVersion()}, ${nginxVersion()}; the floor is [bench/Floor.ts](../bench/Floor.ts).`,
  ].join("\n\n")
}

const begin = "<!-- begin: npm run bench -->"
const end = "<!-- end: npm run bench -->"

/** The document with these results between its marks. */
export const withResults = (document: string, results: string): string => {
  const from = document.indexOf(begin)
  const to = document.indexOf(end)
  if (from < 0 || to < from) throw new Error(`the document has no ${begin} … ${end}`)
  return `${document.slice(0, from + begin.length)}\n\n${results}\n\n${document.slice(to)}`
}
