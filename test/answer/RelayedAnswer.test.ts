import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { RelayedAnswer, type RelayedContent, type RelayedStart } from "../../src/answer/RelayedAnswer.ts"
import { relayLimits } from "../../src/wire/JsonOutline.ts"

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const rules = (holds: RelayedContent) => ({
  holds,
  outline: relayLimits,
  says: (answer: Readonly<Record<string, unknown>>) => "data" in answer || "text" in answer,
})

interface Read {
  readonly start: RelayedStart
  /** After how many pieces it was known; all of them and their end where it took that. */
  readonly after: number
  readonly answer: RelayedAnswer
}

const read = (holds: RelayedContent, pieces: ReadonlyArray<Uint8Array>, contentType = ""): Read => {
  const answer = new RelayedAnswer(rules(holds), contentType)
  for (const [at, piece] of pieces.entries()) {
    const start = answer.take(piece)
    if (start === undefined) continue
    for (const later of pieces.slice(at + 1)) answer.take(later)
    return { start, after: at + 1, answer }
  }
  return { start: answer.end(), after: pieces.length + 1, answer }
}

const begins = (form: string) => ({ kind: "begins", form })
const other = { kind: "other" }
const silent = { kind: "silent" }
const error = { kind: "error" }

const mp3 = Uint8Array.of(0x49, 0x44, 0x33, 4, 0, 0, 0xff, 0xfb)
const pcm = Uint8Array.of(0x7b, 0, 1, 0, 0xff, 0xff)
const image = `{"created":1,"data":[{"b64_json":"${"iVBORw0KGgo".repeat(7_000)}"}],"usage":{"input_tokens":3}}`

const cases: ReadonlyArray<
  readonly [
    what: string,
    content: Uint8Array | string,
    json: object,
    text: object,
    sound: object,
    bytes: object,
  ]
> = [
  ["nothing", "", silent, silent, silent, silent],
  ["white space", " \n", silent, begins("text"), other, begins("bytes")],
  [
    "an object that says something",
    '{"data":[1]}',
    begins("object"),
    begins("object"),
    other,
    begins("object"),
  ],
  ["an object that says nothing", "{}", silent, silent, other, silent],
  ["an error", '{"error":{"message":"busy"}}', error, error, error, error],
  ["an error behind white space", '\n\n {"error":"busy"}', error, error, error, error],
  ["half an object", '{"data":[1', other, begins("text"), other, begins("bytes")],
  ["a page", "<!DOCTYPE html><html></html>", other, other, other, other],
  ["a page of XML", '  <?xml version="1.0"?><Error/>', other, other, other, other],
  ["a list", "[1]", other, begins("text"), other, begins("bytes")],
  ["words", "upstream connect error", other, begins("text"), other, begins("bytes")],
  ["an srt", "1\n00:00:00,000 --> 00:00:01,000\nHello.\n", other, begins("text"), other, begins("bytes")],
  ["a vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\nHello.\n", other, begins("text"), other, begins("bytes")],
  ["a text with a brace", "{laughs} Hello.", other, begins("text"), other, begins("bytes")],
  ["a text that looks like a field", "data: the numbers", other, begins("text"), other, begins("bytes")],
  ["sound", mp3, other, begins("text"), begins("sound"), begins("bytes")],
  ["sound that begins like an object", pcm, other, begins("text"), begins("sound"), begins("bytes")],
  ["an object of images", image, begins("object"), begins("object"), other, begins("object")],
]

describe("RelayedAnswer", () => {
  it.each(cases)("tells what %s is", (_, content, json, text, sound, any) => {
    const bytes = typeof content === "string" ? bytesOf(content) : content
    const pieces = bytes.length === 0 ? [] : [bytes]
    expect(read("json", pieces).start).toMatchObject(json)
    expect(read("text", pieces).start).toMatchObject(text)
    expect(read("sound", pieces).start).toMatchObject(sound)
    expect(read("bytes", pieces).start).toMatchObject(any)
  })

  it("knows the same however an object, a text or an error is cut, and holds all of it", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...cases.filter(([what]) => !what.startsWith("sound"))),
        fc.constantFrom<RelayedContent>("json", "text", "bytes"),
        fc.array(fc.nat(400), { maxLength: 6 }),
        ([, content], holds, cuts) => {
          const bytes = typeof content === "string" ? bytesOf(content) : content
          const at = [
            0,
            ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
            bytes.length,
          ]
          const pieces = at
            .slice(1)
            .map((to, index) => bytes.subarray(at[index], to))
            .filter(({ length }) => length > 0)
          const whole = read(holds, bytes.length === 0 ? [] : [bytes])
          const cut = read(holds, pieces)
          expect(cut.start).toEqual(whole.start)
          expect(cut.answer.answer).toEqual(whole.answer.answer)
          expect(Buffer.concat([...cut.answer.taken(), ...pieces.slice(cut.after)])).toEqual(
            Buffer.from(bytes),
          )
        },
      ),
    )
  })

  it("lets sound begin with its first bytes, and a long object once nothing is wrong with its beginning", () => {
    expect(read("sound", [mp3, mp3]).after).toBe(1)
    // These may yet become a text.
    expect(read("sound", [mp3.subarray(0, 2), mp3.subarray(2), mp3]).after).toBe(2)
    const bytes = bytesOf(image)
    const pieces = Array.from({ length: 10 }, (_, at) =>
      bytes.subarray(at * 30_000, (at + 1) * 30_000),
    ).filter(({ length }) => length > 0)
    const { after, answer } = read("json", pieces)
    expect(after).toBe(3)
    expect(answer.answer).toMatchObject({ created: 1, usage: { input_tokens: 3 } })
    expect(answer.isHalf).toBe(false)
  })

  it("knows that an object is not whole", () => {
    const { answer, start } = read("json", [bytesOf(image.slice(0, -1))])
    expect(start).toEqual(begins("object"))
    expect(answer.isHalf).toBe(true)
    expect(answer.answer).toBeUndefined()
  })

  it("takes what is called a text for no sound, and what is called events for no text", () => {
    expect(read("sound", [bytesOf("no voice"), mp3], "text/plain").start).toEqual({ ...other, is: "text" })
    expect(read("sound", [mp3], "text/plain").start).toEqual(begins("sound"))
    const events = [bytesOf('data: {"error":1}\n\n')]
    expect(read("text", events, "text/event-stream").start).toEqual({ ...other, is: "events" })
    expect(read("sound", events).start).toEqual({ ...other, is: "events" })
  })

  it("waits no longer than for so many blanks, whatever was to come", () => {
    const blanks = Array.from({ length: 70 }, () => bytesOf(" ".repeat(1_000)))
    expect(read("json", blanks).after).toBe(66)
    expect(read("text", blanks).start).toEqual(begins("text"))
  })
})
