/** An explanation as plain text: a sentence, then aligned columns; no escape sequences. */
import { dialectFor } from "../routing/Dialect.ts"
import { strategies } from "../routing/strategies/Strategies.ts"
import type { Timeouts } from "../routing/Upstream.ts"
import { printable } from "../terminal/Printable.ts"
import { sideBySide } from "../terminal/Table.ts"
import type { ExplainedGroup, ExplainedTarget, Explanation } from "./Explain.ts"
import { sentenceOf } from "./ExplainSentence.ts"

const quoted = (text: string): string => JSON.stringify(text)

/** The explanation as plain text: aligned columns, no escape sequences. */
export const render = (explanation: Explanation): string => {
  const { model, groups, served, abridged, dialect, passedBy } = explanation
  const lines: Array<string> = []
  if (groups.length === 0 && passedBy.length > 0) {
    lines.push(
      `Nobody who serves ${quoted(model)} speaks ${explanation.isTranslated ? "a conversation dialect" : dialect}: a request for it is answered 404 dialect_not_spoken.`,
      ...passedByInWords(explanation),
    )
  } else if (groups.length === 0) {
    lines.push(
      `No upstream matches ${quoted(model)}: a request for it is answered 404 model_not_found.`,
      "",
      ...tableOf(
        ["upstream", "matches"],
        served.map(({ upstream, match }) => [
          upstream,
          `${match.type} ${match.values.map(quoted).join(", ")}`,
        ]),
      ),
    )
  } else {
    const targets = groups.flatMap((group) => group.targets)
    const common = commonTimeouts(targets)
    lines.push(
      sentenceOf(explanation),
      "",
      ...sideBySide([
        ["model", model],
        ...endpointInWords(explanation),
        ...guessesInWords(explanation),
        ["strategy", strategyInWords(explanation)],
        ["retries", retriesInWords(explanation.retry)],
        [
          "timeouts",
          common === undefined
            ? "as below: connect / first byte / plain answer / idle / total"
            : inWords(common),
        ],
        ...startInWords(explanation),
        ...proxiesInWords(targets),
      ]),
    )
    for (const group of groups) {
      lines.push("", `${group.label}. ${headingOf(group)}`, ...targetTable(group, explanation, common))
    }
    lines.push(...passedByInWords(explanation))
    if (abridged) lines.push("", "There are more ways for the fallbacks to go than are shown here.")
  }
  return lines.map(printable).join("\n")
}

const endpointInWords = ({ dialect, endpoint }: Explanation): ReadonlyArray<readonly [string, string]> =>
  endpoint === undefined
    ? []
    : [["endpoint", dialect === undefined ? endpoint : `${endpoint}, for callers of ${dialect}`]]

/** Whose dialects nobody wrote: a running gateway may have learned better. */
const guessesInWords = ({
  dialect,
  endpoint,
  groups,
}: Explanation): ReadonlyArray<readonly [string, string]> => {
  const guesses = new Map(
    groups.flatMap(({ targets }) =>
      targets.flatMap(({ guessed, upstream }) =>
        guessed === undefined ? [] : [[upstream, guessed] as const],
      ),
    ),
  )
  if (endpoint === undefined || dialect === undefined || guesses.size === 0) return []
  const told = Array.from(guesses, ([upstream, guessed]) => `${upstream} (${guessed.join(", ")})`)
  return [["guessed", `what they speak: ${told.join(", ")}; --running and check --online know`]]
}

/** Who serves the model and does not speak the dialect, or speaks none. */
const passedByInWords = ({ dialect, isTranslated, passedBy }: Explanation): ReadonlyArray<string> =>
  passedBy.length === 0
    ? []
    : [
        "",
        `left out, as they do not speak ${isTranslated ? "any conversation dialect" : dialect}`,
        ...tableOf(
          ["upstream", "speaks"],
          passedBy.map(({ dialects, upstream }) => [upstream, dialects.join(", ") || "none"]),
        ),
      ]

/** What a running gateway takes an upstream for. */
export interface UpstreamNow {
  readonly name: string
  readonly state: "closed" | "open" | "half_open"
  /** Why it was set aside; `null` while closed. */
  readonly reason: string | null
  /** When it will be probed, ISO 8601. */
  readonly probeAt: string | null
  readonly inFlight: number
  /** In line for a place. */
  readonly waiting: number
  /** The dialects that it speaks as far as is known, and those that it was found to lack, although it was expected to speak them. */
  readonly dialects: ReadonlyArray<string>
  readonly lacks: ReadonlyArray<{
    readonly dialect: string
    /** The status that said so. */
    readonly answered: number
    readonly until: string
  }>
}

/** Beneath the explanation: what the gateway at this address takes the upstreams of the plan for. Open ones are asked after all others. */
export const renderNow = (
  { dialect: asked, groups, isTranslated, passedBy }: Explanation,
  address: string,
  now: ReadonlyArray<UpstreamNow>,
): string => {
  const planned = new Set([
    ...groups.flatMap(({ targets }) => targets.map(({ upstream }) => upstream)),
    ...passedBy.map(({ upstream }) => upstream),
  ])
  /** In which it is asked there, where requests are translated. */
  const dialectAt = ({ dialects }: UpstreamNow): string | undefined =>
    asked !== undefined && isTranslated ? dialectFor<string>(asked, dialects) : undefined
  const lines = tableOf(
    ["upstream", "breaker", "reason", "probed at", "in flight", "waiting", "speaks", "asked in"],
    [...planned].map((upstream) => {
      const one = now.find(({ name }) => name === upstream)
      return one === undefined
        ? [upstream, "unknown there", "-", "-", "-", "-", "-", "-"]
        : [
            upstream,
            one.state.replace("_", " "),
            one.reason ?? "-",
            one.probeAt ?? "-",
            String(one.inFlight),
            String(one.waiting),
            one.dialects.join(", ") || "none",
            dialectAt(one) ?? "-",
          ]
    }),
  )
  const lacks = now
    .filter(({ name }) => planned.has(name))
    .flatMap((one) =>
      one.lacks.map(({ answered, dialect, until }) => {
        const instead = dialectAt(one)
        const follows =
          instead === undefined
            ? `is left out of it until ${until} where others can be asked`
            : `is asked in ${instead} until ${until}`
        return `   ${one.name} answered ${answered} to ${dialect}, and ${follows}`
      }),
    )
  return [`now, at ${address}`, ...lines, ...lacks].map(printable).join("\n")
}

const strategyInWords = ({ strategy, prompt }: Explanation): string => {
  const ignored = prompt === "unneeded" ? "; the prompt makes no difference" : ""
  const { anyPrompt, thisPrompt } = strategies[strategy].explained
  return `${strategy}: ${prompt === "certain" ? thisPrompt : anyPrompt}${ignored}`
}

const retriesInWords = ({ rounds, baseDelayMs, maxDelayMs }: Explanation["retry"]): string =>
  rounds <= 1
    ? "none: the plan is walked once"
    : `up to ${rounds} rounds through the plan, waiting 0-${duration(Math.min(baseDelayMs, maxDelayMs))} (at most ${duration(maxDelayMs)}) between them`

const headingOf = ({ fallback }: ExplainedGroup): string => {
  if (fallback === undefined) return "matching the model"
  const { after, of, name, names, chance } = fallback
  const from =
    chance === undefined
      ? `if all of ${after} fail, where ${of.join(" or ")} stands first of those with a fallback`
      : chance === 1
        ? `if all of ${after} fail`
        : `if all of ${after} fail, in ${percent(chance)} of cases`
  return `${from}: fallback of ${of.join(", ")} to the ${names} ${name}`
}

const targetTable = (
  { targets }: ExplainedGroup,
  { endpoint, groups, prompt, dialect: asked }: Explanation,
  common: Timeouts | undefined,
): ReadonlyArray<string> => {
  const tellsDialects = groups.some((group) => group.targets.some(({ dialect }) => dialect !== asked))
  return tableOf(
    [
      ...(prompt === "certain" ? ["order"] : []),
      "upstream",
      "share",
      "priority",
      "why",
      "sends",
      "key",
      "fallback",
      ...(tellsDialects ? ["asked in"] : []),
      ...(endpoint === undefined ? [] : ["asked at"]),
      ...(common === undefined ? ["timeouts"] : []),
    ],
    targets.map((target, index) => [
      ...(prompt === "certain" ? [String(index + 1)] : []),
      target.upstream,
      target.share === undefined ? "by load" : percent(target.share),
      target.weight === 0 ? "0 (standby)" : String(target.weight),
      target.why,
      target.upstreamModelFrom === undefined
        ? target.upstreamModel
        : `${target.upstreamModel} (${target.upstreamModelFrom})`,
      target.key,
      target.fallback ?? "-",
      ...(tellsDialects ? [target.dialect ?? "-"] : []),
      ...(endpoint === undefined ? [] : [target.url]),
      ...(common === undefined ? [inBrief(target.timeouts)] : []),
    ]),
  )
}

const durations = ({ answerMs, connectMs, firstByteMs, idleMs, totalMs }: Timeouts): ReadonlyArray<string> =>
  [connectMs, firstByteMs, answerMs, idleMs, totalMs].map(duration)

/** When streams begin, where that is not as usual. */
const startInWords = ({ streamStart }: Explanation): ReadonlyArray<readonly [string, string]> =>
  streamStart === "first_event"
    ? []
    : [["streams", "begin at once, with heartbeats (stream_start): an error is an event of a 200"]]

/** A line for each proxy, with the upstreams that are reached through it. */
const proxiesInWords = (
  targets: ReadonlyArray<ExplainedTarget>,
): ReadonlyArray<readonly [string, string]> => {
  const through = new Map<string, Set<string>>()
  for (const { proxy, upstream } of targets) {
    if (proxy !== undefined) through.set(proxy, (through.get(proxy) ?? new Set()).add(upstream))
  }
  return Array.from(through, ([proxy, upstreams]) => ["proxy", `${proxy} for ${[...upstreams].join(", ")}`])
}

const inBrief = (timeouts: Timeouts): string => durations(timeouts).join(" / ")

const inWords = (timeouts: Timeouts): string => {
  const [connect, firstByte, answer, idle, total] = durations(timeouts)
  return `connect ${connect}, first byte ${firstByte}, plain answer ${answer}, idle ${idle}, total ${total}`
}

/** The timeouts of all targets, where they are the same. */
const commonTimeouts = (targets: ReadonlyArray<ExplainedTarget>): Timeouts | undefined => {
  const [first] = targets
  return first !== undefined && targets.every(({ timeouts }) => inBrief(timeouts) === inBrief(first.timeouts))
    ? first.timeouts
    : undefined
}

const duration = (ms: number): string => (ms < 1_000 ? `${ms}ms` : `${ms / 1_000}s`)

/** Rounded to two decimals, but never to a certainty that is none. */
const percent = (share: number): string => {
  const rounded = Math.round(share * 10_000) / 100
  if (share > 0 && rounded === 0) return "<0.01%"
  if (share < 1 && rounded === 100) return ">99.99%"
  return `${rounded}%`
}

const tableOf = (
  head: ReadonlyArray<string>,
  body: ReadonlyArray<ReadonlyArray<string>>,
): ReadonlyArray<string> => sideBySide([head, ...body]).map((line) => `   ${line}`)
