/** Usage by group, sortable, each beside the period before. */
import { useState } from "preact/hooks"
import type { UsageOf, UsageReport } from "../../src/admin/api/UsageReport.ts"
import { change, duration, exact, percent, short } from "../words/Numbers.ts"
import { type Measure, type MeasureName, measures, tokensOf } from "./Measures.ts"

/** Groups in the page at most; there may be as many callers as addresses. */
const mostGroups = 200

interface Column {
  readonly name: string
  readonly title: string
  readonly value: (usage: UsageOf) => number
  readonly shown: (value: number, usage: UsageOf) => string
  readonly lesser?: boolean
}

const columns: ReadonlyArray<Column> = [
  { name: "Requests", title: "All requests", value: ({ requests }) => requests, shown: short },
  {
    name: "Errors",
    title: "Requests that clients or the gateway failed",
    value: ({ errors }) => errors,
    shown: (value, { requests }) => (value === 0 ? "0" : `${short(value)} (${percent(value, requests)})`),
  },
  {
    name: "Refused",
    title: "Requests that were refused for what they were",
    value: ({ rejected }) => rejected,
    shown: short,
    lesser: true,
  },
  { name: "Tokens", title: "Tokens of prompts and answers", value: tokensOf, shown: short },
  {
    name: "Prompt",
    title: "Tokens of prompts",
    value: (usage) => usage.prompt_tokens ?? 0,
    shown: short,
    lesser: true,
  },
  {
    name: "Cached",
    title: "Tokens of prompts that came out of a cache",
    value: (usage) => usage.cached_tokens ?? 0,
    shown: (value, usage) =>
      value === 0 ? "0" : `${short(value)} (${percent(value, usage.prompt_tokens ?? 0)})`,
    lesser: true,
  },
  {
    name: "Answer",
    title: "Tokens of answers",
    value: (usage) => usage.completion_tokens ?? 0,
    shown: short,
    lesser: true,
  },
  {
    name: "Thinking",
    title: "Tokens of answers spent on thinking",
    value: (usage) => usage.reasoning_tokens ?? 0,
    shown: short,
    lesser: true,
  },
  {
    name: "First p50",
    title: "Half had their first content within",
    value: (usage) => usage.ttft_p50 ?? 0,
    shown: (value) => (value === 0 ? "–" : duration(value)),
    lesser: true,
  },
  {
    name: "Total p95",
    title: "19 of 20 were answered within",
    value: (usage) => usage.latency_p95 ?? 0,
    shown: (value) => (value === 0 ? "–" : duration(value)),
  },
]

/** The column of what the curve shows: the table begins sorted by it. */
const columnOf: Readonly<Record<MeasureName, string>> = {
  requests: "Requests",
  errors: "Errors",
  tokens: "Tokens",
  prompt: "Prompt",
  answer: "Answer",
}

const Group = ({
  before,
  isTime,
  measure,
  most,
  onChoose,
  usage,
  whole,
}: {
  readonly usage: UsageOf
  readonly before: UsageOf | undefined
  /** Hours and days are their own, and have none before. */
  readonly isTime: boolean
  readonly measure: Measure
  readonly most: number
  readonly whole: number
  readonly onChoose: ((group: string) => void) | undefined
}) => {
  const { group } = usage
  const value = measure.value(usage)
  const trend = before === undefined ? "new" : change(value, measure.value(before))
  return (
    <tr>
      <th scope="row">
        {group === null || onChoose === undefined ? (
          <span class={group === null ? "muted" : undefined}>{group ?? "none"}</span>
        ) : (
          <button type="button" class="link" onClick={() => onChoose(group)} title={`Only ${group}`}>
            {group}
          </button>
        )}
        <span
          class="length"
          aria-hidden="true"
          style={{ width: `${most === 0 ? 0 : (100 * value) / most}%` }}
        />
      </th>
      {columns.map(({ lesser, name, shown, value: of }) => (
        <td
          key={name}
          class={`num ${lesser === true ? "lesser" : ""} ${name === "Errors" && of(usage) > 0 ? "bad" : ""}`}
          title={exact(of(usage))}
        >
          {shown(of(usage), usage)}
        </td>
      ))}
      {!isTime && (
        <td
          class="num muted"
          title={whole === 0 ? undefined : `${percent(value, whole)} of all ${measure.words.toLowerCase()}`}
        >
          {trend ?? "–"}
        </td>
      )}
    </tr>
  )
}

/** @param onChoose what happens when a group is chosen; nothing where none can be */
export const UsageTable = ({
  chosen,
  onChoose,
  report,
  title,
}: {
  readonly report: UsageReport
  readonly title: string
  /** What the curve shows. */
  readonly chosen: MeasureName
  readonly onChoose: ((group: string) => void) | undefined
}) => {
  const isTime = report.by === "hour" || report.by === "day"
  const measure: Measure = measures[chosen]
  const [sorted, setSorted] = useState<number | undefined>(
    isTime ? undefined : columns.findIndex(({ name }) => name === columnOf[chosen]),
  )
  const column = sorted === undefined ? undefined : columns[sorted]
  const groups = [...report.now.groups]
  if (column !== undefined) groups.sort((one, other) => column.value(other) - column.value(one))
  else groups.reverse()
  const before = new Map(report.before.groups.map((usage) => [usage.group, usage]))
  const most = Math.max(0, ...groups.map(measure.value))
  return (
    <>
      <section class="scroll" aria-label={`Usage by ${title}`}>
        <table class="usage">
          <thead>
            <tr>
              <th scope="col">{title}</th>
              {columns.map(({ lesser, name, title: about }, index) => (
                <th
                  key={name}
                  scope="col"
                  class={`num ${lesser === true ? "lesser" : ""}`}
                  aria-sort={index === sorted ? "descending" : undefined}
                >
                  <button type="button" class="link" title={about} onClick={() => setSorted(index)}>
                    {name}
                  </button>
                </th>
              ))}
              {!isTime && (
                <th scope="col" class="num">
                  <abbr title={`${measure.words}, beside the period before`}>Change</abbr>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {groups.slice(0, mostGroups).map((usage) => (
              <Group
                key={usage.group}
                usage={usage}
                most={most}
                measure={measure}
                isTime={isTime}
                whole={measure.value(report.now.total)}
                before={before.get(usage.group)}
                onChoose={onChoose}
              />
            ))}
          </tbody>
        </table>
      </section>
      {groups.length > mostGroups && <p class="muted">{`The first ${mostGroups} of ${groups.length}.`}</p>}
    </>
  )
}
