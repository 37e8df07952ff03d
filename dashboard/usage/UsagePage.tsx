/** How much was asked, of what and by whom, beside the period before. */
import { useMemo } from "preact/hooks"
import type { UsageReport } from "../../src/admin/api/UsageReport.ts"
import { usage } from "../api/Admin.ts"
import { useAnswer } from "../api/Asking.ts"
import { Empty, Trouble } from "../look/Notice.tsx"
import { changeTo } from "../route/Here.ts"
import type { Filters, Route } from "../route/Route.ts"
import { change, exact, percent, short } from "../words/Numbers.ts"
import { inUtc } from "../words/Times.ts"
import { Chart } from "./Chart.tsx"
import { curveOf } from "./Curve.ts"
import { type Measure, type MeasureName, measureNamed, measureNames, measures } from "./Measures.ts"
import { type Period, periodsAt } from "./Period.ts"
import { UsageTable } from "./UsageTable.tsx"

/** What the table is grouped by, as people call it, and the filter that a group of it is chosen by. */
const groupings = [
  ["model", "Model", "model"],
  ["upstream", "Client", "upstream"],
  ["key", "Key", "key"],
  ["endpoint", "Endpoint", "endpoint"],
  ["status", "Status", "status"],
  ["outcome", "Outcome", "outcome"],
  ["ip", "Address", "ip"],
  ["day", "Day", undefined],
  ["hour", "Hour", undefined],
] as const

const filterNames = ["model", "upstream", "key", "endpoint", "status", "outcome", "ip"]

const set = (filters: Filters, changes: Filters): void =>
  changeTo({ page: "usage", filters: { ...filters, ...changes } })

const Choice = ({
  chosen,
  label,
  name,
  options,
  filters,
}: {
  readonly name: string
  readonly label: string
  readonly chosen: string
  readonly options: ReadonlyArray<readonly [string, string]>
  readonly filters: Filters
}) => (
  <fieldset class="choice" aria-label={label}>
    {options.map(([value, words]) => (
      <button
        key={value}
        type="button"
        aria-pressed={value === chosen}
        onClick={() => set(filters, { [name]: value })}
      >
        {words}
      </button>
    ))}
  </fieldset>
)

const Chosen = ({ filters }: { readonly filters: Filters }) => (
  <>
    {filterNames.flatMap((name) => {
      const value = filters[name] ?? ""
      return value === ""
        ? []
        : [
            <button
              key={name}
              type="button"
              class="chip removable"
              aria-label={`Not only ${value}`}
              onClick={() => set(filters, { [name]: "" })}
            >
              {value} <span aria-hidden="true">×</span>
            </button>,
          ]
    })}
  </>
)

const Trend = ({
  before,
  isBad,
  now,
}: {
  readonly now: number
  readonly before: number
  readonly isBad: boolean
}) => {
  const words = change(now, before)
  if (words === undefined) return <span class="muted">none before</span>
  const tone = !isBad || now === before ? "muted" : now > before ? "bad" : "good"
  return (
    <span class={tone} title={`${exact(before)} in the period before`}>
      {words}
    </span>
  )
}

const Tiles = ({
  chosen,
  filters,
  report,
}: {
  readonly report: UsageReport
  readonly chosen: MeasureName
  readonly filters: Filters
}) => {
  const { before, now } = report
  return (
    <fieldset class="tiles" aria-label="What the curve shows">
      {measureNames.map((name) => {
        const measure: Measure = measures[name]
        const value = measure.value(now.total)
        return (
          <button
            key={name}
            type="button"
            aria-pressed={name === chosen}
            onClick={() => set(filters, { show: name })}
          >
            <span class="label">{measure.words}</span>
            <span class="value num" title={exact(value)}>
              {short(value)}
              {name === "errors" && value > 0 && <small>{percent(value, now.total.requests)}</small>}
            </span>
            <Trend now={value} before={measure.value(before.total)} isBad={measure.isBad === true} />
          </button>
        )
      })}
    </fieldset>
  )
}

/** What all changes are beside. */
const Compared = ({ report: { before } }: { readonly report: UsageReport }) => (
  <p class="muted compared">{`Compared with ${inUtc(before.since)} to ${inUtc(before.until)} UTC`}</p>
)

const Notes = ({ report }: { readonly report: UsageReport }) => (
  <>
    {!report.now.complete && (
      <p class="warn">
        Counting took too long and was cut short: the numbers are too low. Choose a shorter time.
      </p>
    )}
    {report.left_out.map((words) => (
      <p key={words} class="warn">
        {words}
      </p>
    ))}
  </>
)

const Curves = ({
  chosen,
  period,
  report,
}: {
  readonly report: UsageReport
  readonly period: Period
  readonly chosen: MeasureName
}) => {
  const curve = useMemo(
    () => curveOf(period.step, report.now, report.before, measures[chosen].value),
    [report, period.step, chosen],
  )
  return <Chart curve={curve} label={measures[chosen].words} />
}

export const UsagePage = ({ route: { filters } }: { readonly route: Route }) => {
  const periods = periodsAt(Date.now())
  const period = periods.find(({ name }) => name === filters["period"]) ?? periods[1] ?? periods[0]
  const grouping = groupings.find(([by]) => by === filters["by"]) ?? groupings[0]
  const chosen = measureNamed(filters["show"])
  const asked = {
    ...Object.fromEntries(filterNames.map((name) => [name, filters[name]])),
    since: period?.since,
    until: period?.until,
  }
  const overTime = useAnswer(usage, { ...asked, by: period?.step })
  const byGroup = useAnswer(usage, { ...asked, by: grouping[0] })
  const problem = overTime.problem ?? byGroup.problem
  const [, title, filter] = grouping
  const isNothing = overTime.value?.now.total.requests === 0
  if (period === undefined) return null
  return (
    <div class="page" aria-busy={overTime.isAwaited || byGroup.isAwaited}>
      <div class="tools-line">
        <Choice
          name="period"
          label="Time"
          chosen={period.name}
          filters={filters}
          options={periods.map(({ name, words }) => [name, words])}
        />
        <Chosen filters={filters} />
        {overTime.value !== undefined && <Compared report={overTime.value} />}
      </div>
      {problem !== undefined && <Trouble title={problem.message} />}
      {overTime.value !== undefined && (
        <>
          <Notes report={overTime.value} />
          <Tiles report={overTime.value} chosen={chosen} filters={filters} />
          {isNothing ? (
            <Empty title="Nothing was asked in this time.">
              <p>Choose a longer one, or fewer filters.</p>
            </Empty>
          ) : (
            <section class="card">
              <Curves report={overTime.value} period={period} chosen={chosen} />
            </section>
          )}
        </>
      )}
      {!isNothing && (
        <section class="card">
          <Choice
            name="by"
            label="Group by"
            chosen={grouping[0]}
            filters={filters}
            options={groupings.map(([by, words]) => [by, words])}
          />
          {byGroup.value !== undefined && (
            <UsageTable
              key={`${byGroup.value.by} ${chosen}`}
              chosen={chosen}
              report={byGroup.value}
              title={title}
              onChoose={filter === undefined ? undefined : (group) => set(filters, { [filter]: group })}
            />
          )}
        </section>
      )}
    </div>
  )
}
