/** Laws of what is printed: CSV is read back, tables stay aligned, nothing printed moves a cursor. */
import { stripVTControlCharacters } from "node:util"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { coloured } from "../../../src/terminal/Colour.ts"
import { csvLine, guarded } from "../../../src/terminal/Csv.ts"
import { printable, printableJson, printableLines } from "../../../src/terminal/Printable.ts"
import { layOut, widthsFor } from "../../../src/terminal/Table.ts"
import { runs } from "../../support/Runs.ts"
import { hostileTexts } from "../../support/StoredAudit.ts"
import { parseCsv } from "./parseCsv.ts"

const texts = fc.oneof(fc.constantFrom(...hostileTexts), fc.string(), fc.fullUnicodeString())
const values = fc.oneof(texts, fc.integer(), fc.constant(null))

/** Texts made of what parts cells, opens quotes and begins formulas. */
const formulas = fc
  .array(
    fc.constantFrom("=", "+", "-", "@", "\uff1d", ";", ",", "\t", " ", "\n", "\r", '"', "'", "|", "a", "1"),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(""))

/** The cells of a text as a lenient spreadsheet takes them: quotes hold a cell together only where they open it, and it goes on behind them. */
const cellsOf = (text: string, separator: string): ReadonlyArray<string> => {
  const cells: Array<string> = []
  let cell = ""
  let at = 0
  while (at < text.length) {
    if (cell === "" && text[at] === '"') {
      const end = /^"(?:[^"]|"")*"?/.exec(text.slice(at))?.[0] ?? ""
      cell = end.replace(/^"|"$/g, "").replaceAll('""', '"')
      at += end.length
      if (cell === "") {
        cells.push(cell)
        continue
      }
    }
    const character = text[at] ?? ""
    if (character === separator || character === "\n" || character === "\r") {
      cells.push(cell)
      cell = ""
    } else cell += character
    at++
  }
  return [...cells, cell]
}

describe("csvLine", () => {
  it("law: is read back as the values, text that a spreadsheet would run with an apostrophe before it", () => {
    fc.assert(
      fc.property(fc.array(fc.array(values, { minLength: 2, maxLength: 2 })), (rows) => {
        expect(parseCsv(rows.map((row) => csvLine(row, false)).join(""))).toEqual(
          rows.map((row) =>
            row.map((value) =>
              value === null ? null : typeof value === "number" ? String(value) : guarded(value),
            ),
          ),
        )
      }),
    )
  })

  it("law: apostrophes are all that is added, and only where there is a sign of a formula", () => {
    fc.assert(
      fc.property(fc.oneof(texts, formulas), (text) => {
        expect(guarded(text).replaceAll("'", "")).toBe(text.replaceAll("'", ""))
        if (!/[=+\-@\t\r＝＋－＠]/.test(text)) expect(guarded(text)).toBe(text)
      }),
    )
  })

  it.each([",", ";", "\t", " ", "|"])(
    "law: no cell begins like a formula where %j parts them",
    (separator) => {
      fc.assert(
        fc.property(fc.array(fc.oneof(texts, formulas), { minLength: 1, maxLength: 4 }), (row) => {
          for (const cell of cellsOf(csvLine(row, false), separator)) {
            expect(cell.trimStart()).not.toMatch(/^[=+\-@\t\r＝＋－＠]/)
          }
        }),
        { numRuns: runs(500) },
      )
    },
  )

  it("leaves numbers alone, and tells NULL from empty text", () => {
    expect(csvLine([-1.5, null, "", "a,b", '"'], false)).toBe('-1.5,,"","a,b",""""\r\n')
  })

  it("keeps controls in a file, and lets none through to a terminal", () => {
    const text = "\u001b]0;owned\u0007\u009b2J\u202e"
    expect(csvLine([text], false)).toContain(text)
    expect(csvLine([text], true)).toBe('"\\x1b]0;owned\\x07\\x9b2J\\u202e"\r\n')
  })
})

describe("printable", () => {
  const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

  it("law: nothing invisible is left, and visible text is not touched", () => {
    fc.assert(
      fc.property(fc.oneof(texts, fc.string16bits()), (text) => {
        expect(printable(text)).not.toMatch(invisible)
        if (!invisible.test(text)) expect(printable(text)).toBe(text)
        expect(printableLines(text).replaceAll(/[\n\t]/g, "")).not.toMatch(invisible)
      }),
    )
  })

  it("law: JSON made printable says the same", () => {
    fc.assert(
      fc.property(fc.oneof(texts, fc.string16bits()), (text) => {
        const json = printableJson(JSON.stringify(text))
        expect(json).not.toMatch(invisible)
        expect(JSON.parse(json)).toBe(text)
      }),
    )
  })

  it("shows what was there", () => {
    expect(printable("\u001b[31m\u202e\u{e0001}")).toBe("\\x1b[31m\\u202e\\u{e0001}")
  })
})

describe("a table", () => {
  const columns = [
    { title: "A", align: "left", longest: 10, least: 4 },
    { title: "B", align: "right", longest: 10 },
    { title: "C", align: "left", longest: 10, least: 2 },
  ] as const
  const rows = fc.array(fc.array(fc.option(texts, { nil: undefined }), { minLength: 3, maxLength: 3 }))
  const lengthOf = (text: string) => [...text].length

  it("law: a line a row, straight however many rows come later, and no wider than there is room", () => {
    fc.assert(
      fc.property(rows, rows, fc.integer({ min: 20, max: 40 }), (first, second, room) => {
        const widths = widthsFor(columns, first, room)
        const lines = layOut(columns, widths, [...first, ...second])
        expect(lines).toHaveLength(first.length + second.length)
        const [a = 0, b = 0, c = 0] = widths
        expect(a + b + c + 4).toBeLessThanOrEqual(room)
        for (const line of lines) {
          expect(line).not.toMatch(/\n/)
          expect(lengthOf(line)).toBeLessThanOrEqual(a + b + c + 4)
          expect([...line].slice(a, a + 2).join("")).toBe("  ")
          expect([...line].slice(a + 2 + b, a + 4 + b).join("")).toBe("  ")
        }
      }),
    )
  })

  it("aligns text left and numbers right, says - for what is unknown, and cuts what is too long", () => {
    const cells = [
      ["a", "1", undefined],
      ["a longer text", "100", "c"],
    ]
    expect(layOut(columns, widthsFor(columns, cells, 100), cells)).toEqual([
      "a             1  - ".trimEnd(),
      "a lon…text  100  c",
    ])
  })

  it("narrows what may be narrowed, the widest first", () => {
    const cells = [["1234567890", "12345", "1234567"]]
    expect(widthsFor(columns, cells, 100)).toEqual([10, 5, 7])
    expect(widthsFor(columns, cells, 21)).toEqual([6, 5, 6])
    expect(widthsFor(columns, cells, 5)).toEqual([4, 5, 2])
  })

  it("is coloured without moving a column", () => {
    const cells = [[{ text: "a", shade: "red" } as const, "1", "c"]]
    const widths = widthsFor(columns, cells, 100)
    const [line = ""] = layOut(columns, widths, cells, coloured)
    expect(line).toContain("\u001b[31ma\u001b[0m")
    expect(stripVTControlCharacters(line)).toBe(layOut(columns, widths, cells)[0])
  })
})
