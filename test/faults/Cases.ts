/** Every fault in every way it is asked for: plain and as a stream, alone and in company. Each case has a model and upstreams of its own. */
import { type Company, companies, type Names } from "./Expectation.ts"
import { type Fault, type Side, sections } from "./Faults.ts"

export const ways = ["plain", "stream"] as const
export type Way = (typeof ways)[number]

export interface Case extends Pick<Names, "faulty" | "alike"> {
  readonly fault: Fault
  readonly way: Way
  readonly company: Company
  readonly side: Side
}

/** How often an error is told makes no difference within a row, so its first fault stands for all where every upstream has it. */
const companiesOf = (fault: Fault, { expected }: Side, isFirst: boolean): ReadonlyArray<Company> =>
  companies.filter(
    (company) =>
      company !== "fallback alike" || (isFirst && expected.kind === "failed" && fault.isCostly === undefined),
  )

const faults = sections.flatMap(({ rows }) =>
  rows.flatMap((row) => row.faults.map((fault, at) => ({ fault, isFirst: at === 0 }))),
)

export const cases: ReadonlyArray<Case> = faults.flatMap(({ fault, isFirst }, at) =>
  ways.flatMap((way) => {
    const side = fault[way]
    if (side === undefined) return []
    return companiesOf(fault, side, isFirst).map((company): Case => {
      const faulty = `fault-${at}-${way}-${company.replace(" ", "-")}`
      return { fault, way, company, side, faulty, alike: `${faulty}-too` }
    })
  }),
)
