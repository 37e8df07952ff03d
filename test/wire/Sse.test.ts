/** Event streams: the examples of the HTML standard, and "however the bytes are cut, the same events". */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { mostCopied } from "../../src/wire/GrowingBytes.ts"
import { run } from "../../src/wire/Machine.ts"
import { decoder, isDone, isOverflow, type SseOutput } from "../../src/wire/Sse.ts"
import { encode } from "../../src/wire/SseWriting.ts"
import { runs } from "../support/Runs.ts"

const utf8 = new TextEncoder()
const text = new TextDecoder("utf-8", { ignoreBOM: true })
const bytesOf = (of: string): Uint8Array => utf8.encode(of)

const lenient = decoder({ maxEventBytes: 1024 * 1024 })

/** What came out, readable: data and type of an event, or the overflow. */
const readable = (outputs: ReadonlyArray<SseOutput>) =>
  outputs.map((output) =>
    isOverflow(output) ? output : { data: text.decode(output.data), event: output.event },
  )

const decode = (chunks: Iterable<Uint8Array>, machine = lenient) => readable(run(machine, chunks))

const events = (stream: string) => decode([bytesOf(stream)])
const messages = (...data: ReadonlyArray<string>) => data.map((one) => ({ data: one, event: undefined }))

/** Cuts bytes at places given in any order, places beyond the end included. */
const cut = (bytes: Uint8Array, places: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const sorted = [0, ...places.filter((place) => place <= bytes.length).sort((a, b) => a - b), bytes.length]
  return sorted.slice(1).map((end, i) => bytes.slice(sorted[i], end))
}

const singles = (bytes: Uint8Array): ReadonlyArray<Uint8Array> =>
  Array.from(bytes, (byte) => Uint8Array.of(byte))

const isWhole = (data: string): boolean => {
  if (/^ *\[DONE\]/.test(data)) return true
  try {
    return typeof JSON.parse(data) === "object" && data.trim() !== "null"
  } catch {
    return false
  }
}

/** The standard's rules, line by line over the whole stream, with the departures that the decoder's docstring names. */
const reference = (stream: Uint8Array): ReadonlyArray<{ data: string; event: string | undefined }> => {
  const lines = text
    .decode(stream)
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\r|\n/)
  const unfinished = lines.pop() ?? ""
  const given: Array<{ data: string; event: string | undefined }> = []
  let data: Array<string> = []
  let event: string | undefined
  const dispatch = (): void => {
    if (data.join("\n") !== "") given.push({ data: data.join("\n"), event })
    data = []
    event = undefined
  }
  const field = (line: string): readonly [string, string] => {
    const colon = line.indexOf(":")
    return colon === -1 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")]
  }
  const failed = (value: string): void => {
    dispatch()
    if (value !== "") given.push({ data: value, event: "error" })
  }
  for (const line of lines) {
    const [name, value] = field(line)
    if (line === "") dispatch()
    else if (name === "data") data.push(value)
    else if (name === "event") event = value === "" ? undefined : value
    else if (name === "error") failed(value)
  }
  if (unfinished !== "") {
    const [name, value] = field(unfinished)
    if (name === "error") {
      failed(isWhole(value) ? value : "")
      return given
    }
    if (name === "data") data.push(value)
    if (!isWhole(data.join("\n"))) return given
  }
  dispatch()
  return given
}

describe("decoder, on the examples of the HTML standard (§9.2.1 and §9.2.6)", () => {
  it("gives an event per block and joins its lines", () => {
    expect(
      events(
        "data: This is the first message.\n\ndata: This is the second message, it\ndata: has two lines.\n\n" +
          "data: This is the third message.\n\n",
      ),
    ).toEqual(
      messages(
        "This is the first message.",
        "This is the second message, it\nhas two lines.",
        "This is the third message.",
      ),
    )
  })

  it("tells event types", () => {
    expect(
      events(
        "event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\nevent: add\ndata: 113411\n\ndata: none\n\n",
      ),
    ).toEqual([
      { data: "73857293", event: "add" },
      { data: "2153", event: "remove" },
      { data: "113411", event: "add" },
      { data: "none", event: undefined },
    ])
  })

  it("reads the stock quote of three lines", () => {
    expect(events("data: YHOO\ndata: +2\ndata: 10\n\n")).toEqual(messages("YHOO\n+2\n10"))
  })

  it("passes comments and ids over and takes one space off", () => {
    expect(
      events(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"),
    ).toEqual(messages("first event", "second event", " third event"))
  })

  it("gives the two line feeds of two empty data lines, but no empty event, where the standard would", () => {
    expect(events("data\n\ndata\ndata\n\ndata:")).toEqual(messages("\n"))
  })

  it("takes data with and without a space for the same", () => {
    expect(events("data:test\n\ndata: test\n\n")).toEqual(messages("test", "test"))
  })
})

describe("decoder", () => {
  it("takes LF, CRLF and CR, one byte order mark, and no other", () => {
    for (const end of ["\n", "\r\n", "\r"]) {
      expect(events(`\uFEFFdata: a${end}${end}\uFEFFdata: lost${end}${end}data: b${end}${end}`)).toEqual(
        messages("a", "b"),
      )
    }
  })

  it("passes over retry, unknown fields, and fields whose names only begin like known ones", () => {
    expect(events("retry: 10\ndatabase: 1\ndat: 2\nDATA: 3\n data: 4\nevents: 5\ndata: 6\n\n")).toEqual(
      messages("6"),
    )
  })

  it("takes a line `error: …` for an event of its own, as llama.cpp writes it", () => {
    expect(events('error: {"code":500}\n\ndata: [DONE]\n\n')).toEqual([
      { data: '{"code":500}', event: "error" },
      { data: "[DONE]", event: undefined },
    ])
    expect(events("event: x\ndata: a\nerror:full\ndata: b\n\n")).toEqual([
      { data: "a", event: "x" },
      { data: "full", event: "error" },
      { data: "b", event: undefined },
    ])
    expect(events('error: {"code":500}')).toEqual([{ data: '{"code":500}', event: "error" }])
    expect(events("error: half of a mess")).toEqual([])
    expect(events("error\n\nerror: \n\n")).toEqual([])
  })

  it("gives nothing for an event without data, and its type is forgotten", () => {
    expect(events("event: ping\n\ndata: a\n\nevent: ping\ndata:\n\ndata: b\n\n")).toEqual(messages("a", "b"))
  })

  it("takes an empty event type for none, and the last of several", () => {
    expect(events("event: a\nevent:\ndata: 1\n\nevent: a\nevent: b\ndata: 2\n\n")).toEqual([
      { data: "1", event: undefined },
      { data: "2", event: "b" },
    ])
  })

  it("gives an event out at its blank line, also where that is a CR whose LF may still come", () => {
    const [state, outputs] = lenient.step(lenient.initial, bytesOf("data: a\r\n\r"))
    expect(readable(outputs)).toEqual(messages("a"))
    expect(readable(lenient.step(state, bytesOf("\ndata: b\r\n\r\n"))[1])).toEqual(messages("b"))
  })

  it("gives the last event out where the final blank line is missing", () => {
    expect(events("data: a\n\ndata: b\ndata: c\n")).toEqual(messages("a", "b\nc"))
  })

  it("gives the last event out where its line does not end either, if it is evidently whole", () => {
    expect(events('data: {"a":1}\n\ndata: {"b":{"c":2}}')).toEqual(messages('{"a":1}', '{"b":{"c":2}}'))
    expect(events("data: [DONE]")).toEqual(messages("[DONE]"))
    expect(events('event: x\ndata: {"a":1}\n: cut here')).toEqual([{ data: '{"a":1}', event: "x" }])
  })

  it("never gives out half an event", () => {
    const whole = 'data: {"b":{"c":2}}'
    for (let end = 0; end < whole.length; end++) expect(events(whole.slice(0, end))).toEqual([])
    expect(events("data: [DON")).toEqual([])
    expect(events("data: 12")).toEqual([])
    expect(events("data: null")).toEqual([])
  })

  it("gives data that lies in one chunk out without copying it", () => {
    const chunk = bytesOf("data: one\n\ndata: two\r\n\r\n")
    for (const output of run(lenient, [chunk])) {
      expect(!isOverflow(output) && output.data.buffer === chunk.buffer).toBe(true)
    }
  })

  it("takes an event of thousands of chunks in time that grows with its size", () => {
    const data = "x".repeat(400_000)
    expect(decode(singles(bytesOf(`data: ${data}\ndata: ${data}\n\n`)))).toEqual(messages(`${data}\n${data}`))
  })

  it("keeps an event of many small chunks in one piece, of about its size", () => {
    let state = lenient.initial
    for (const chunk of singles(bytesOf("data:\n".repeat(10_000)))) state = lenient.step(state, chunk)[0]
    expect(state.data?.bytes.length).toBe(9_999)
    expect(state.data?.room?.bytes.length).toBeLessThan(20_000)
  })

  it("gives out an event of many chunks in the piece they were put in, framed as it is sent", () => {
    const large = decoder({ maxEventBytes: 32 * 1024 * 1024 })
    let state = large.initial
    const moves: Array<number> = []
    let buffer: ArrayBufferLike | undefined
    for (const chunk of [bytesOf("data: "), ...Array.from({ length: 300 }, () => new Uint8Array(65_536))]) {
      state = large.step(state, chunk)[0]
      const { bytes } = state.line ?? expect.fail("a line is under way")
      if (bytes.buffer !== buffer) moves.push(bytes.length)
      buffer = bytes.buffer
    }
    // However long it becomes, what is there is moved while it is short, and no more.
    expect(Math.max(...moves)).toBeLessThanOrEqual(mostCopied + 65_536)
    const [event] = large.step(state, bytesOf("\n\n"))[1]
    if (event === undefined || isOverflow(event)) return expect.fail("an event came")
    expect(event.data.buffer).toBe(buffer)
    expect(encode(event.data).buffer).toBe(buffer)
  })

  it("joins no more than megabytes of several lines of data", () => {
    const large = decoder({ maxEventBytes: 32 * 1024 * 1024 })
    const megabytes = "x".repeat(4 * 1024 * 1024)
    const tooMuch = [{ limitBytes: 4 * 1024 * 1024 }]
    expect(decode([bytesOf(`data: ${megabytes}\n\n`)], large)).toEqual(messages(megabytes))
    for (const lines of [`data: ${megabytes}\ndata: x`, `data: x\ndata: ${megabytes}`]) {
      expect(decode([bytesOf(`${lines}\n\n`)], large)).toEqual(tooMuch)
      expect(decode([bytesOf(lines)], large)).toEqual(tooMuch)
    }
  })

  it("searches a chunk of many lines in time that grows with its size", () => {
    for (const end of ["\n", "\r", "\r\n"]) {
      expect(events(`data: a${end}${end}`.repeat(100_000)).length).toBe(100_000)
    }
  })
})

const samples = {
  LF: 'data: {"a":"é😀"}\n\n: ping\nevent: x\ndata:b\ndata:\ndata:  c\n\n: p\n\nid: 1\ndata: d\n\ndata: [DONE]\n\n',
  BOM: "\uFEFFdata: first\n\ndata: \uFEFF\n\nevent: \uFEFFe\ndata: x\n\n",
  error: 'data: {"a":1}\nerror: {"code":500}\ndata: [DONE]\n\nerror: full\n\nerror:\nerrors: 1\n\n',
  unfinished: 'data: a\n\nevent: é\ndata: {"b":\ndata: 1}',
}

describe("decoder, however the stream is cut", () => {
  const streams = [
    ...Object.values(samples),
    ...Object.values(samples).map((one) => one.replaceAll("\n", "\r\n")),
    ...Object.values(samples).map((one) => one.replaceAll("\n", "\r")),
    "data: a\r\n\ndata: b\n\r\ndata: c\r\r\ndata: d\n\rdata: e\r\n\r\n\r\n",
  ].map(bytesOf)
  // Beginnings of a byte order mark that are none.
  const halfMarks = [[0xef, 0xbb], [0xef], [0xef, 0xef, 0xbb, 0xbf], [0xef, 0xbb, 0xef]].flatMap((mark) =>
    ["\ndata: a\n\ndata: b\n\n", "data: lost\n\ndata: b\n\n"].map((rest) =>
      Uint8Array.from([...mark, ...bytesOf(rest)]),
    ),
  )

  it("law: cut in two or three anywhere, or into single bytes, it gives the same events", () => {
    for (const stream of [...streams, ...halfMarks]) {
      const expected = reference(stream)
      expect(decode([stream])).toEqual(expected)
      expect(decode(singles(stream))).toEqual(expected)
      for (let i = 0; i <= stream.length; i++) {
        expect(decode(cut(stream, [i]))).toEqual(expected)
        // An empty chunk in between means nothing.
        expect(decode(cut(stream, [i, i, Math.min(i + 2, stream.length)]))).toEqual(expected)
      }
    }
  })

  const lineArb = fc.oneof(
    { weight: 3, arbitrary: fc.constant("") },
    { weight: 4, arbitrary: fc.string({ maxLength: 6, unit: "grapheme" }).map((value) => `data: ${value}`) },
    fc.constantFrom('data: {"a":1}', 'data: {"a":', "data: 1}", "data: [DONE]", "data:[DONE]", "data: [DO"),
    fc.constantFrom(
      "data",
      "data:",
      "data:  x",
      'error: {"code":500}',
      "error: full",
      "error",
      "event: a",
      "event:b",
      "event",
      ": ping",
      ":",
      "id: 1",
      "dat",
    ),
    fc.string({ maxLength: 6 }),
  )
  const endArb = fc.constantFrom("\n", "\r\n", "\r")
  const streamArb = fc
    .tuple(
      fc.constantFrom("", "", "\uFEFF", "\uFEFF\uFEFF"),
      fc.array(fc.tuple(lineArb, endArb), { maxLength: 14 }),
      fc.oneof(fc.constant(""), lineArb),
    )
    .map(([mark, lines, last]) => bytesOf(mark + lines.map(([line, end]) => line + end).join("") + last))
  const placesArb = fc.array(fc.nat(120), { maxLength: 12 })

  it("law: any stream in any framing, cut anywhere, gives what the standard's rules give", () => {
    fc.assert(
      fc.property(streamArb, placesArb, (stream, places) => {
        const expected = reference(stream)
        expect(decode(cut(stream, places))).toEqual(expected)
        expect(decode(singles(stream))).toEqual(expected)
      }),
      { numRuns: runs(500) },
    )
  })

  it("law: a state is a value, what is decoded from it later changes neither it nor what it gave", () => {
    fc.assert(
      fc.property(streamArb, streamArb, streamArb, (before, one, other) => {
        let state = lenient.initial
        for (const chunk of cut(before, [3, 7, 20])) state = lenient.step(state, chunk)[0]
        const resumed = { ...lenient, initial: state }
        const first = run(resumed, [one])
        const expected = readable(first)
        run(resumed, singles(other))
        expect(readable(first)).toEqual(expected)
        expect(decode([one], resumed)).toEqual(expected)
      }),
    )
  })

  it("law: however it is cut, it overflows in the same place and then is silent", () => {
    fc.assert(
      fc.property(streamArb, placesArb, fc.integer({ min: 1, max: 24 }), (stream, places, limit) => {
        const machine = decoder({ maxEventBytes: limit })
        const whole = decode([stream], machine)
        expect(decode(cut(stream, places), machine)).toEqual(whole)
        expect(decode(singles(stream), machine)).toEqual(whole)
        // What comes before the overflow is what would have come without a limit.
        const given = whole.filter((output) => !("limitBytes" in output))
        expect(decode([stream]).slice(0, given.length)).toEqual(given)
        expect(whole.slice(given.length)).toEqual(
          given.length === whole.length ? [] : [{ limitBytes: limit }],
        )
      }),
      { numRuns: runs(500) },
    )
  })
})

describe("decoder, its limit", () => {
  const limited = decoder({ maxEventBytes: 100 })
  const endless = (line: string) => Array.from({ length: 1000 }, () => bytesOf(line))

  it("stops a line that does not end, of whatever kind", () => {
    for (const begin of ["data: ", ": ", "event: ", "x"]) {
      expect(decode([bytesOf("data: a\n\n"), bytesOf(begin), ...endless("yyyy")], limited)).toEqual([
        ...messages("a"),
        { limitBytes: 100 },
      ])
    }
  })

  it("stops an event that does not end", () => {
    expect(decode(endless("data: yy\n"), limited)).toEqual([{ limitBytes: 100 }])
    expect(decode([bytesOf("data: a\n"), ...endless(": ping\n")], limited)).toEqual([{ limitBytes: 100 }])
  })

  it("does not count pings before an event, nor one event with the next", () => {
    expect(
      decode([...endless(": ping\n"), ...endless("data: aaaaaaaaaaaaaaaaaaaa\n\n")], limited).length,
    ).toBe(1000)
  })

  it("takes an event of exactly the limit", () => {
    const line = `data: ${"a".repeat(94)}`
    expect(decode([bytesOf(`${line}\n\n`)], limited)).toEqual(messages("a".repeat(94)))
    expect(decode([bytesOf(`${line}a\n\n`)], limited)).toEqual([{ limitBytes: 100 }])
  })

  it("holds nothing once it has overflowed", () => {
    let state = limited.initial
    for (const chunk of endless("data: yy\n")) state = limited.step(state, chunk)[0]
    expect(state).toEqual({ ...limited.initial, overflowed: true })
    expect(limited.halt(state)).toEqual([])
  })
})

describe("isDone", () => {
  it("the end is told from everything else", () => {
    for (const data of ["[DONE]", " [DONE]", "[DONE] "]) expect(isDone({ data: bytesOf(data) })).toBe(true)
    for (const data of ["", "   ", "[DONE", '"[DONE]"', '{"a":"[DONE]"}', "DONE"]) {
      expect(isDone({ data: bytesOf(data) })).toBe(false)
    }
  })
})
