/** Rows in aligned columns, for people. Columns only ever grow wider, so that rows may come a few at a time. */
import { printable } from "./Printable.ts"

export interface TableColumn {
  readonly title: string
  readonly align: "left" | "right"
  /** Longest text shown; what is longer ends in `…`. */
  readonly longest: number
}

/** What is unknown. */
const none = "-"

const cut = (text: string, longest: number): string =>
  text.length <= longest ? text : `${[...text].slice(0, longest - 1).join("")}…`

/** By code points: scripts that take two places each stand a little out of line. */
const widthOf = (text: string): number => [...text].length

/** Lays rows out. Answers with lines, and with the widths for the rows that follow. */
export const layOut = (
  columns: ReadonlyArray<TableColumn>,
  widths: ReadonlyArray<number>,
  rows: ReadonlyArray<ReadonlyArray<string | undefined>>,
): readonly [lines: ReadonlyArray<string>, widths: ReadonlyArray<number>] => {
  const cells = rows.map((row) =>
    columns.map(({ longest }, at) => {
      const text = row[at]
      return text === undefined ? none : cut(printable(text), longest)
    }),
  )
  const needed = columns.map((_, at) =>
    cells.reduce((most, row) => Math.max(most, widthOf(row[at] ?? "")), widths[at] ?? 0),
  )
  const lines = cells.map((row) =>
    columns
      .map(({ align }, at) => {
        const text = row[at] ?? ""
        const space = " ".repeat((needed[at] ?? 0) - widthOf(text))
        return align === "left" ? `${text}${space}` : `${space}${text}`
      })
      .join("  ")
      .trimEnd(),
  )
  return [lines, needed]
}

/** The titles as a row. */
export const titlesOf = (columns: ReadonlyArray<TableColumn>): ReadonlyArray<string> =>
  columns.map(({ title }) => title)
