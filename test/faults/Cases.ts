/**
 * Every fault in every way it is asked for: plain and as a stream, alone and in company, of a chat; and each that may be of any operation of another one
 * too. Each case has a model and upstreams of its own.
 */
import { allOperations, type OperationName, operations } from "../../src/operations/Operations.ts"
import { type Company, companies, type Names } from "./Expectation.ts"
import { type Fault, type Row, type Section, type Side, sections } from "./Faults.ts"

export const ways = ["plain", "stream"] as const
export type Way = (typeof ways)[number]

export interface Case extends Pick<Names, "faulty" | "alike"> {
  readonly fault: Fault
  readonly operation: OperationName
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

const faults = sections.flatMap((section) =>
  section.rows.flatMap((row) => row.faults.map((fault, at) => ({ section, row, fault, isFirst: at === 0 }))),
)

const chat = operations["chat.completions"].name

const ofChats: ReadonlyArray<Case> = faults.flatMap(({ fault, isFirst }, at) =>
  ways.flatMap((way) => {
    const side = fault[way]
    if (side === undefined) return []
    return companiesOf(fault, side, isFirst).map((company): Case => {
      const faulty = `fault-${at}-${way}-${company.replace(" ", "-")}`
      return { fault, operation: chat, way, company, side, faulty, alike: `${faulty}-too` }
    })
  }),
)

const others = allOperations.filter(({ name }) => name !== chat)

/** The company in which what comes of a fault is the same whatever the operation; none where it is not. */
const companyElsewhere = (
  { fault, row, section }: { readonly fault: Fault; readonly row: Row; readonly section: Section },
  operation: OperationName,
): Company | undefined => {
  const expected = fault.plain?.expected
  if (expected === undefined || row.isOfChats || fault.isCostly) return undefined
  // What is handed on as its bytes come has begun with the first of them.
  if (operations[operation].plain.kind === "relayed" && !section.isBeforeAnswer) return undefined
  switch (expected.kind) {
    case "failed":
      return "with fallback"
    case "passed":
    case "wrapped":
      return operations[operation].face === "openai" && expected.status >= 400 ? "alone" : undefined
    default:
      return undefined
  }
}

/** Of the others, one after the other, the first that it may be of: so that each fault is met by one, and each of them meets as many as the next. */
const elsewhere: ReadonlyArray<Case> = faults.flatMap((one, at) => {
  const { plain: side } = one.fault
  for (let turn = 0; side !== undefined && turn < others.length; turn++) {
    const operation = others[(at + turn) % others.length]?.name
    const company = operation === undefined ? undefined : companyElsewhere(one, operation)
    if (operation === undefined || company === undefined) continue
    const faulty = `fault-${at}-${operation}`
    return [{ fault: one.fault, operation, way: "plain", company, side, faulty, alike: `${faulty}-too` }]
  }
  return []
})

export const cases: ReadonlyArray<Case> = [...ofChats, ...elsewhere]
