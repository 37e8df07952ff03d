/** Events as they are written: one frame for each, read back as what it was written of. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { run } from "../../src/wire/Machine.ts"
import { decoder, doneData, isOverflow } from "../../src/wire/Sse.ts"
import { encode, encodeEvent, heartbeat, printedEvent } from "../../src/wire/SseWriting.ts"
import { runs } from "../support/Runs.ts"

const utf8 = new TextEncoder()
const text = new TextDecoder("utf-8", { ignoreBOM: true })
const bytesOf = (of: string): Uint8Array => utf8.encode(of)

const lenient = decoder({ maxEventBytes: 1024 * 1024 })

/** The data and types that are read back. */
const decode = (chunks: Iterable<Uint8Array>) =>
  run(lenient, chunks).map((output) =>
    isOverflow(output) ? output : { data: text.decode(output.data), event: output.event },
  )

const messages = (...data: ReadonlyArray<string>) => data.map((one) => ({ data: one, event: undefined }))

describe("encode", () => {
  it("writes one data line and a blank line", () => {
    expect(text.decode(encode(bytesOf('{"a":1}')))).toBe('data: {"a":1}\n\n')
  })

  it("writes a data line per line, whichever way lines end", () => {
    expect(text.decode(encode(bytesOf("{\n1\r\n2\r3\n\n}")))).toBe(
      "data: {\ndata: 1\ndata: 2\ndata: 3\ndata: \ndata: }\n\n",
    )
  })

  it("gives no bytes for empty data, since some SDKs fail on empty events", () => {
    expect(encode(new Uint8Array())).toEqual(new Uint8Array())
  })

  it("law: is the same whatever stands around the data in its buffer", () => {
    const around = fc.constantFrom(
      "",
      "\n",
      "\n\n",
      "data: ",
      "data:",
      "x\n\ndata: ",
      ": ",
      "data: a\n\ndata: ",
    )
    fc.assert(
      fc.property(around, fc.string({ maxLength: 8 }), around, (before, data, after) => {
        const alone = bytesOf(data)
        const whole = bytesOf(before + data + after)
        const start = bytesOf(before).length
        const cut = whole.subarray(start, start + alone.length)
        expect(text.decode(encode(cut))).toBe(text.decode(encode(alone)))
      }),
    )
  })

  it("copies nothing of an event that came as it is sent", () => {
    const whole = bytesOf('data: {"a":1}\n\ndata: {"b":2}\n\n')
    const frame = encode(whole.subarray(21, 28))
    expect(text.decode(frame)).toBe('data: {"b":2}\n\n')
    expect(frame.buffer).toBe(whole.buffer)
  })

  it("gives an event its name, in the bytes it came in where they are written so", () => {
    const event = { event: "a", data: bytesOf("{}") }
    expect(text.decode(encodeEvent(event))).toBe("event: a\ndata: {}\n\n")
    expect(text.decode(encodeEvent({ ...event, event: undefined }))).toBe("data: {}\n\n")
    expect(text.decode(encodeEvent({ event: "a\nb", data: bytesOf("1\n2") }))).toBe(
      "event: a b\ndata: 1\ndata: 2\n\n",
    )
    for (const whole of ["event: a\ndata: {}\n\n", "event:a\ndata:{}\n\n"].map(bytesOf)) {
      const [only] = run(lenient, [whole])
      if (only === undefined || isOverflow(only)) throw new Error("an event was to come")
      expect(text.decode(encodeEvent(only))).toBe("event: a\ndata: {}\n\n")
      expect(encodeEvent(only).buffer === whole.buffer).toBe(whole.length > 18)
    }
  })

  it("law: decoding what was encoded gives the data again, each CR or CRLF read as LF", () => {
    const dataArb = fc.array(fc.constantFrom("a", " ", ":", "\n", "\r", "\r\n", "é😀", "data: ", "\uFEFF"), {
      minLength: 1,
      maxLength: 10,
    })
    fc.assert(
      fc.property(fc.array(dataArb, { maxLength: 4 }), (all) => {
        const data = all.map((parts) => parts.join(""))
        const chunks = data.map((one) => encode(bytesOf(one)))
        expect(decode(chunks)).toEqual(messages(...data.map((one) => one.replace(/\r\n?/g, "\n"))))
      }),
      { numRuns: runs(500) },
    )
  })

  it("law: bytes that are no text come back as they were", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (data) => {
        fc.pre(!data.includes(0x0d))
        const [only] = run(lenient, [encode(data)])
        expect(only !== undefined && !isOverflow(only) ? Array.from(only.data) : only).toEqual(
          Array.from(data),
        )
      }),
    )
  })
})

describe("heartbeat", () => {
  it("is the bytes that clients expect", () => {
    expect(text.decode(heartbeat)).toBe(": ping\n")
  })

  it("is no event between events, and changes none", () => {
    expect(
      decode([encode(bytesOf("a")), heartbeat, heartbeat, encode(bytesOf("b")), heartbeat, encode(doneData)]),
    ).toEqual(messages("a", "b", "[DONE]"))
  })
})

describe("printedEvent", () => {
  it("law: is written as any event of its name and data, out of its own buffer", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, "a.delta"), (value, name) => {
        const json = JSON.stringify(value)
        const printed = printedEvent(name, json)
        expect(text.decode(printed.data)).toBe(json)
        const written = encodeEvent(printed)
        expect(text.decode(written)).toBe(text.decode(encodeEvent({ data: bytesOf(json), event: name })))
        expect(written.buffer).toBe(printed.data.buffer)
      }),
      { numRuns: runs(200) },
    )
  })
})
