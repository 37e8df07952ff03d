/** The tables of docs/metrics.md, generated from the declarations. */
import { gptApiInstruments } from "./GptApiInstruments.ts"
import type { Instrument, Over } from "./Instrument.ts"
import { instruments } from "./Instruments.ts"

const overs: Readonly<Record<Over, string>> = { sum: "sum", max: "greatest", min: "least" }

const labelsOf = ({ labels }: Instrument): string =>
  labels.length === 0 ? "" : labels.map((label) => `\`${label}\``).join(", ")

const row = (instrument: Instrument): string =>
  `| \`${instrument.name}\` | ${instrument.kind} | ${labelsOf(instrument)} | ${overs[instrument.over]} | ${instrument.help} |`

const tableOf = (rows: ReadonlyArray<Instrument>): string =>
  [
    "| name | type | labels | of several processes | what it tells |",
    "|---|---|---|---|---|",
    ...rows.map(row),
  ].join("\n")

/** The tables in their order on the page: Sluice's names, then GPT_API's. */
const tables = [instruments, gptApiInstruments].map(tableOf)

/** docs/metrics.md with its tables. */
export const withMetrics = (page: string): string => {
  let at = 0
  return page.replace(/^\| name \| type \|.*\n(?:\|.*\n)*/gm, () => `${tables[at++] ?? ""}\n`)
}
