/**
 * Rows in aligned columns, for people. How wide the columns are is decided by the first rows, and by how much room there is; what comes
 * later stands straight below, cut where it must be.
 */
import { type Paint, plain, type Shade } from "./Colour.ts"
import { printable } from "./Printable.ts"

export interface TableColumn {
  readonly title: string
  readonly align: "left" | "right"
  /** Longest text shown; of what is longer the middle is left out. None is too long for one that knows no longest. */
  readonly longest: number
  /** How narrow the column may become where there is no room for all; never, if left out. */
  readonly least?: number
}

/** Text, in a shade perhaps; `undefined` is unknown. */
export type Cell = string | undefined | { readonly text: string; readonly shade: Shade }

/** What is unknown. */
const none = "-"

/** Between two columns. */
const gap = "  "

/** Names differ at their ends as often as at their beginnings: both are kept. */
const cut = (text: string, longest: number): string => {
  const characters = [...text]
  if (characters.length <= longest) return text
  const kept = Math.max(0, longest - 1)
  const end = Math.floor(kept / 2)
  return `${characters.slice(0, kept - end).join("")}…${characters.slice(characters.length - end).join("")}`
}

/** By code points: scripts that take two places each stand a little out of line. */
const widthOf = (text: string): number => [...text].length

const textOf = (cell: Cell): string =>
  cell === undefined ? none : printable(typeof cell === "string" ? cell : cell.text)

/** The widest column that may give way loses a place, until there is room for all or none may. */
const narrowed = (
  columns: ReadonlyArray<TableColumn>,
  natural: ReadonlyArray<number>,
  room: number,
): ReadonlyArray<number> => {
  const widths = [...natural]
  const gaps = gap.length * (columns.length - 1)
  for (let over = widths.reduce((sum, width) => sum + width, gaps) - room; over > 0; over--) {
    let widest: number | undefined
    for (const [at, { least }] of columns.entries()) {
      const width = widths[at] ?? 0
      if (least !== undefined && width > least && width > (widths[widest ?? -1] ?? 0)) widest = at
    }
    if (widest === undefined) break
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}

/** The widths of the columns of a table that begins with these rows. */
export const widthsFor = (
  columns: ReadonlyArray<TableColumn>,
  rows: ReadonlyArray<ReadonlyArray<Cell>>,
  room: number,
): ReadonlyArray<number> =>
  narrowed(
    columns,
    columns.map(({ least = 0, longest, title }, at) =>
      Math.min(
        longest,
        rows.reduce((most, row) => Math.max(most, widthOf(textOf(row[at]))), Math.max(least, title.length)),
      ),
    ),
    room,
  )

/** Rows as lines, in columns of these widths. */
export const layOut = (
  columns: ReadonlyArray<TableColumn>,
  widths: ReadonlyArray<number>,
  rows: ReadonlyArray<ReadonlyArray<Cell>>,
  paint: Paint = plain,
): ReadonlyArray<string> =>
  rows.map((row) =>
    columns
      .map(({ align, longest }, at) => {
        const cell = row[at]
        const text = longest === Number.POSITIVE_INFINITY ? textOf(cell) : cut(textOf(cell), widths[at] ?? 0)
        const shown = typeof cell === "object" ? paint(cell.shade, text) : text
        const last = at === columns.length - 1 && align === "left"
        const space = last ? "" : " ".repeat(Math.max(0, (widths[at] ?? 0) - widthOf(text)))
        return align === "left" ? `${shown}${space}` : `${space}${shown}`
      })
      .join(gap),
  )

/** A heading over a column of which nothing is cut. */
export const uncut = (title: string): TableColumn => ({
  title,
  align: "left",
  longest: Number.POSITIVE_INFINITY,
})

/** Rows as lines in columns as wide as their longest text, without titles. */
export const sideBySide = (rows: ReadonlyArray<ReadonlyArray<Cell>>): ReadonlyArray<string> => {
  const columns = (rows[0] ?? []).map(() => uncut(""))
  const widths = widthsFor(columns, rows, Number.POSITIVE_INFINITY)
  return layOut(columns, widths, rows).map((line) => line.trimEnd())
}

/** The same columns where there is room for all: those that give way where there is none are not cut. */
export const roomy = (columns: ReadonlyArray<TableColumn>): ReadonlyArray<TableColumn> =>
  columns.map((column) =>
    column.least === undefined ? column : { ...column, longest: Number.POSITIVE_INFINITY },
  )

/** The titles as a row. */
export const titlesOf = (columns: ReadonlyArray<TableColumn>): ReadonlyArray<Cell> =>
  columns.map(({ title }) => ({ text: title, shade: "bold" }))
