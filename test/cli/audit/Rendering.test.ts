/** Laws of what is printed: CSV is read back, tables stay aligned, nothing printed moves a cursor. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { csvLine, guarded } from "../../../src/cli/Csv.ts"
import { printable, printableJson, printableLines } from "../../../src/terminal/Printable.ts"
import { layOut } from "../../../src/terminal/Table.ts"
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

describe("layOut", () => {
  const columns = [
    { title: "A", align: "left", longest: 10 },
    { title: "B", align: "right", longest: 10 },
    { title: "C", align: "left", longest: 10 },
  ] as const
  const rows = fc.array(fc.array(fc.option(texts, { nil: undefined }), { minLength: 3, maxLength: 3 }))

  it("law: a line a row, columns never narrower than before, cells never longer than they may be", () => {
    fc.assert(
      fc.property(rows, rows, (first, second) => {
        const [, widths] = layOut(columns, [], first)
        const [lines, wider] = layOut(columns, widths, second)
        expect(lines).toHaveLength(second.length)
        wider.forEach((width, at) => {
          expect(width).toBeGreaterThanOrEqual(widths[at] ?? 0)
          expect(width).toBeLessThanOrEqual(10)
        })
        for (const line of lines) expect(line).not.toMatch(/\n/)
      }),
    )
  })

  it("aligns text left and numbers right, says - for what is unknown, and cuts what is too long", () => {
    const [lines] = layOut(
      columns,
      [],
      [
        ["a", "1", undefined],
        ["a longer text", "100", "c"],
      ],
    )
    expect(lines).toEqual(["a             1  -", "a longer …  100  c"])
  })
})
