import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { boundaryOf, isFormType, MultipartReader } from "../../src/wire/Multipart.ts"
import type { PartHead } from "../../src/wire/PartHead.ts"

interface Part {
  readonly head: PartHead
  readonly start: number
  readonly end: number | undefined
  readonly bytes: string
}

const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1")

const read = (boundary: string, chunks: Iterable<Uint8Array>) => {
  const parts: Array<{ -readonly [K in keyof Part]: Part[K] }> = []
  const reader = new MultipartReader(boundary, {
    onPart: (head, start) => parts.push({ head, start, end: undefined, bytes: "" }),
    onData: (bytes) => {
      const part = parts.at(-1)
      if (part !== undefined) part.bytes += Buffer.from(bytes).toString("latin1")
    },
    onPartEnd: (end) => {
      const part = parts.at(-1)
      if (part !== undefined) part.end = end
    },
  })
  for (const chunk of chunks) reader.feed(chunk)
  reader.end()
  const { closedAt, fault } = reader
  // What was handed on before a fault is nobody's.
  return {
    parts: fault === undefined ? parts : [],
    fault,
    closedAt: fault === undefined ? closedAt : undefined,
  }
}

const readText = (text: string, boundary = "b") => read(boundary, [latin1(text)])

/** Cut once there, and from there on into chunks of that length at most. */
const chunksOf = (text: string, at: number, most: number): ReadonlyArray<Uint8Array> => {
  const chunks = [latin1(text.slice(0, at))]
  for (let from = at; from < text.length; from += most) chunks.push(latin1(text.slice(from, from + most)))
  return chunks
}

const field = (name: string, value: string, boundary = "b"): string =>
  `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`

/** A form with one part of these headers. */
const withHead = (...lines: ReadonlyArray<string>): string =>
  `--b\r\n${lines.join("\r\n")}\r\n\r\nx\r\n--b--\r\n`

const disposition = 'Content-Disposition: form-data; name="model"'

describe("a form", () => {
  it("is read to its parts, with the places of their bytes", () => {
    const text = `${field("model", "whisper-1")}--b\r\ncontent-disposition: form-data; name="file"; filename="a b.mp3"\r\nContent-Type: audio/mpeg\r\n\r\nID3\r\n-\r\n--b--\r\n`
    const { closedAt, fault, parts } = readText(text)
    expect(fault).toBeUndefined()
    expect(parts.map(({ bytes, head }) => [head.name, head.filename, head.contentType, bytes])).toEqual([
      ["model", undefined, undefined, "whisper-1"],
      ["file", "a b.mp3", "audio/mpeg", "ID3\r\n-"],
    ])
    for (const { bytes, end, start } of parts) expect(text.slice(start, end)).toBe(bytes)
    expect(text.slice(closedAt)).toBe("--b--\r\n")
  })

  it("may have empty values, a line before its first boundary, and one behind its last", () => {
    const { fault, parts } = readText(`\r\n${field("a", "")}${field("b", "\r\n")}--b--\r\nepilogue`)
    expect(fault).toBeUndefined()
    expect(parts.map(({ bytes }) => bytes)).toEqual(["", "\r\n"])
  })

  it("names files in both ways, and keeps what is no UTF-8 from being told", () => {
    const names = [
      'filename="naïve.mp3"',
      "filename*=UTF-8''na%C3%AFve.mp3",
      "filename=plain.mp3",
      'filename="a\\"b.mp3"',
      'filename=""',
    ].map((one) => {
      const text = withHead(`Content-Disposition: form-data; name="file"; ${one}`)
      return read("b", [Buffer.from(text)]).parts[0]?.head.filename
    })
    expect(names).toEqual(["naïve.mp3", "naïve.mp3", "plain.mp3", 'a\\"b.mp3', ""])
  })

  const boundaries = fc.oneof(
    fc.constantFrom("b", "-", "--", "----WebKitFormBoundaryAbC", "aaa", "a-a-b-"),
    fc.stringOf(fc.constantFrom("-", "a", "b", "'"), { minLength: 1, maxLength: 12 }),
  )
  /** Data that is full of what delimiters are made of. */
  const tricky = (boundary: string) =>
    fc
      .array(
        fc.oneof(
          fc.constantFrom("\r", "\n", "-", "--", boundary, `--${boundary}`, "x", "\r\n--"),
          fc.string({ maxLength: 5 }).map((text) => Buffer.from(text).toString("latin1")),
        ),
        { maxLength: 12 },
      )
      .map((pieces) => pieces.join(""))

  const forms = boundaries.chain((boundary) =>
    fc.record({
      boundary: fc.constant(boundary),
      values: fc.array(tricky(boundary), { minLength: 1, maxLength: 4 }),
    }),
  )

  it("law: is read alike however it is cut", () => {
    fc.assert(
      fc.property(forms, fc.array(fc.nat(400), { maxLength: 8 }), ({ boundary, values }, cuts) => {
        const text = latin1(
          `${values.map((value, at) => field(`f${at}`, value, boundary)).join("")}--${boundary}--\r\n`,
        )
        const whole = read(boundary, [text])
        expect(
          read(
            boundary,
            [...text].map((byte) => Uint8Array.of(byte)),
          ),
        ).toEqual(whole)
        const ends = [...cuts.map((cut) => cut % (text.length + 1)), text.length].sort((a, b) => a - b)
        const pieces = ends.map((end, at) => text.subarray(ends[at - 1] ?? 0, end))
        expect(read(boundary, pieces)).toEqual(whole)
      }),
    )
  })

  it("law: is read to what was written, or not at all", () => {
    fc.assert(
      fc.property(forms, ({ boundary, values }) => {
        const text = `${values.map((value, at) => field(`f${at}`, value, boundary)).join("")}--${boundary}--\r\n`
        const { fault, parts } = readText(text, boundary)
        const looksLikeDelimiter = values.some((value) => `\n${value}`.match(/[\r\n]--/) !== null)
        if (!looksLikeDelimiter) expect(fault).toBeUndefined()
        if (fault !== undefined) return
        expect(parts.map(({ bytes }) => bytes)).toEqual(values)
        for (const { bytes, end, start } of parts) expect(text.slice(start, end)).toBe(bytes)
      }),
    )
  })

  it.each([1_022, 1_023, 1_024, 1_025, 1_026, 1_027, 5_000])(
    "law: with two faults is refused for the first of them, however it is cut, behind %i bytes",
    (length) => {
      for (const line of ["\n--b", "\r--b", "\r\n--b--", "\r\n--b"])
        for (const before of ["", `${field("a", "1")}--b--`]) {
          const text = `${before}${"x".repeat(length)}${line}\r\n${field("a", "1")}--b--`
          const { fault } = readText(text)
          for (const most of [1, 7, 1_000])
            for (let at = 0; at <= 8; at++)
              expect(read("b", chunksOf(text, before.length + length - at, most)).fault).toBe(fault)
        }
    },
  )

  it("law: none that is cut short is taken for whole", () => {
    const text = `${field("a", "1")}${field("model", "m")}--b--`
    for (let length = 0; length < text.length; length++) {
      expect(readText(text.slice(0, length)).fault, text.slice(0, length)).toBeDefined()
    }
    expect(readText(text).fault).toBeUndefined()
  })

  it("of many megabytes is read in pieces no longer than a step", () => {
    const longest: Array<number> = []
    let size = 0
    const reader = new MultipartReader("b", {
      onPart: () => {},
      onData: ({ length }) => {
        size += length
        longest.push(length)
      },
      onPartEnd: () => {},
    })
    reader.feed(latin1(`--b\r\n${disposition}\r\n\r\n`))
    const chunk = new Uint8Array(1_000_000).fill(0x2d)
    for (let i = 0; i < 20; i++) reader.feed(chunk)
    reader.feed(latin1("\r\n--b--"))
    reader.end()
    expect(reader.fault).toBeUndefined()
    expect(size).toBe(20_000_000)
    expect(Math.max(...longest)).toBeLessThan(40_000)
  })
})

describe("what readers might take for different forms is refused:", () => {
  const refused: ReadonlyArray<readonly [what: string, text: string, fault: RegExp]> = [
    ["a boundary behind a bare line feed", `${field("a", "1\n--b\r\nx")}--b--`, /begins like its boundary/],
    [
      "a boundary behind a bare carriage return",
      `${field("a", "1\r--b--")}--b--`,
      /begins like its boundary/,
    ],
    ["a boundary with more behind it", `${field("a", "1\r\n--bx")}--b--`, /begins like its boundary/],
    [
      "a boundary with spaces behind it",
      `--b \r\n${disposition}\r\n\r\nx\r\n--b--`,
      /begins like its boundary/,
    ],
    [
      "a boundary that ends with a line feed",
      `--b\n${disposition}\r\n\r\nx\r\n--b--`,
      /begins like its boundary/,
    ],
    ["a boundary just behind the headers", `--b\r\n${disposition}\r\n\r\n--b--`, /begins like its boundary/],
    [
      "a boundary among the headers",
      `--b\r\n${disposition}\r\n--b: x\r\n\r\nx\r\n--b--`,
      /boundary among its headers/,
    ],
    ["parts behind the end", `${field("a", "1")}--b--\r\n${field("model", "m")}--b--`, /goes on behind/],
    ["a long epilogue", `${field("a", "1")}--b--\r\n${"x".repeat(2_000)}`, /behind its last boundary/],
    ["a long preamble", `${"x".repeat(2_000)}\r\n${field("a", "1")}--b--`, /before its first boundary/],
    ["no part at all", "--b--\r\n", /empty/],
    ["nothing", "", /ends before it is complete/],
    ["no headers", "--b\r\n\r\nx\r\n--b--", /headers/],
    ["headers without end", `--b\r\n${"x: y\r\n".repeat(3_000)}`, /headers of more than 8192 bytes/],
    [
      "folded headers",
      withHead("Content-Disposition: form-data;", '  name="model"'),
      /headers that cannot be read/,
    ],
    ["two dispositions", withHead(disposition, disposition), /does not say once/],
    ["no disposition", withHead("Content-Type: text/plain"), /does not say once/],
    ["another disposition", withHead('Content-Disposition: attachment; name="model"'), /does not say once/],
    ["no name", withHead("Content-Disposition: form-data; filename=x"), /has no name/],
    ["two names", withHead(`${disposition}; name="other"`), /has no name, or one/],
    [
      "a name in another charset",
      withHead(`Content-Disposition: form-data; name*=utf-8''model`),
      /has no name, or one/,
    ],
    ["a name of both kinds", withHead(`${disposition}; name*=utf-8''other`), /has no name, or one/],
    [
      "a name with a backslash",
      withHead('Content-Disposition: form-data; name="mo\\del"'),
      /has no name, or one/,
    ],
    [
      "a name within a name of a file",
      withHead('Content-Disposition: form-data; filename="a\\"; name="model"; x="; name="other"'),
      /has no name, or one/,
    ],
    ["two types", withHead(disposition, "Content-Type: a/b", "Content-Type: c/d"), /more than once/],
    [
      "a form within",
      withHead(disposition, "Content-Type: multipart/mixed; boundary=c"),
      /a form of its own/,
    ],
    ["too many parts", `${field("a", "1").repeat(1_001)}--b--`, /more than 1000 parts/],
  ]
  it.each(refused)("%s", (_, text, fault) => {
    expect(readText(text).fault).toMatch(fault)
  })

  // Headers of the most that they may have once took a quarter of an hour, since each run of blanks was tried in every way.
  it("a name in words without end, at once", () => {
    const blank = " ".repeat(7_900)
    expect(readText(withHead(`${disposition}; name${blank}x`)).fault).toBeUndefined()
    expect(readText(withHead(`${disposition}; name${blank}="other"`)).fault).toMatch(/has no name/)
    expect(boundaryOf(`multipart/form-data; boundary=b; boundary${" ".repeat(200_000)}x`)).toBe("b")
  })

  it("what stands within a line is data, whatever it looks like", () => {
    const { fault, parts } = readText(`${field("a", "x--b\r\n-\r\n--\r\nx--b--")}--b--`)
    expect(fault).toBeUndefined()
    expect(parts[0]?.bytes).toBe("x--b\r\n-\r\n--\r\nx--b--")
  })
})

describe("the boundary", () => {
  it.each([
    ["multipart/form-data; boundary=abc", "abc"],
    ['Multipart/Form-Data; charset=utf-8; Boundary="a b:c"', "a b:c"],
    [
      "multipart/form-data;boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW ; charset=utf-8",
      "----WebKitFormBoundary7MA4YWxkTrZu0gW",
    ],
    ["multipart/form-data", undefined],
    ["multipart/form-data; boundary=", undefined],
    ['multipart/form-data; boundary=""', undefined],
    ['multipart/form-data; boundary="a "', undefined],
    ["multipart/form-data; boundary=a; boundary=b", undefined],
    ["multipart/form-data; boundary*=utf-8''a; boundary=b", undefined],
    ["multipart/form-data; boundary=a\u00e4", undefined],
    [`multipart/form-data; boundary=${"a".repeat(70)}`, "a".repeat(70)],
    [`multipart/form-data; boundary=${"a".repeat(71)}`, undefined],
  ])("of %s is %s", (type, boundary) => {
    expect(boundaryOf(type)).toBe(boundary)
  })

  it("belongs to a form alone", () => {
    expect(
      ["multipart/form-data", "multipart/form-data; boundary=x", "MULTIPART/FORM-DATA"].every(isFormType),
    ).toBe(true)
    expect(
      [undefined, "multipart/mixed; boundary=x", "multipart/form-datax", "application/json"].some(isFormType),
    ).toBe(false)
  })
})
