/** Laws of what is printed: CSV is read back, tables stay aligned, nothing printed moves a cursor. */
import { stripVTControlCharacters } from "node:util"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { csvLine, guarded } from "../../../src/cli/Csv.ts"
import { coloured } from "../../../src/terminal/Colour.ts"
import { printable, printableJson, printableLines } from "../../../src/terminal/Printable.ts"
import { layOut, widthsFor } from "../../../src/terminal/Table.ts"
import { hostileTexts } from "../../support/StoredAudit.ts"
import { parseCsv } from "./parseCsv.ts"

const texts = fc.oneof(fc.constantFrom(...hostileTexts), fc.string(), fc.fullUnicodeString())
const values = fc.oneof(texts, fc.integer(), fc.constant(null))

describe("csvLine", () => {
  it("law: is read back as the values, text that a spreadsheet would run with an apostrophe before it", () => {
    fc.assert(
      fc.property(fc.array(fc.array(values, { minLength: 2, maxLength: 2 })), (rows) => {
        expect(parseCsv(rows.map(csvLine).join(""))).toEqual(
          rows.map((row) =>
            row.map((value) =>
              value === null ? null : typeof value === "number" ? String(value) : guarded(value),
            ),
          ),
        )
      }),
    )
  })

  it("law: no field of text begins like a formula, and only such text is changed", () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(guarded(text)).not.toMatch(/^[=+\-@\t\r]/)
        if (!/^[=+\-@\t\r＝＋－＠]/.test(text)) expect(guarded(text)).toBe(text)
      }),
    )
  })

  it("leaves numbers alone, and tells NULL from empty text", () => {
    expect(csvLine([-1.5, null, "", "a,b", '"'])).toBe('-1.5,,"","a,b",""""\r\n')
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
      "a longer …  100  c",
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
