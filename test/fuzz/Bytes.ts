/** Bytes as nobody should send them: random ones, and sound ones that were cut, doubled, flipped and spiked with what parsers stumble over. */
import fc from "fast-check"

/** What means something to a parser that is in the wrong place. */
const spikes = [
  "\r\n",
  "\n\n",
  "\r\n\r\n",
  "\r",
  "\0",
  "\uFEFF",
  ": ",
  "data:",
  "data: [DONE]\n\n",
  'data: {"error":"x"}\n\n',
  "event: error\n",
  "0\r\n\r\n",
  "ffffffffffffffff\r\n",
  "-1\r\n",
  "content-length: 1\r\n",
  "content-length: 99999999999999999999\r\n",
  "transfer-encoding: chunked\r\n",
  "HTTP/1.1 200 OK\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\n",
  "POST /v1/chat/completions HTTP/1.1\r\n",
  "{",
  "}",
  "[",
  "]",
  '"',
  "\\",
  "\\u",
  "\\ud800",
  ",",
  "null",
  "1e999",
  "-0",
  '"__proto__":{"a":1},',
  '"error":',
  '"usage":null,',
  "<think>",
  "</think>",
  "${",
  "&a *a",
].map((text) => Buffer.from(text))

const invalidUtf8 = ["ff", "c3", "eda080", "f8888080", "00"].map((hex) => Buffer.from(hex, "hex"))

interface Edit {
  /** Where, as a share of the length. */
  readonly at: number
  /** How many bytes are taken out there. */
  readonly removed: number
  readonly put: Uint8Array
}

const share = fc.double({ min: 0, max: 1, noNaN: true })

const edit: fc.Arbitrary<Edit> = fc.record({
  at: share,
  removed: fc.oneof(fc.constant(0), fc.nat(4), fc.nat(200)),
  put: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Uint8Array>(...spikes) },
    { weight: 1, arbitrary: fc.constantFrom<Uint8Array>(...invalidUtf8) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 8 }) },
    { weight: 1, arbitrary: fc.nat(5_000).map((length) => Buffer.alloc(length, "[")) },
    { weight: 2, arbitrary: fc.constant(new Uint8Array()) },
  ),
})

const applied = (bytes: Buffer, { at, put, removed }: Edit): Buffer => {
  const from = Math.floor(at * bytes.length)
  return Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + removed)])
}

/** One of the sound texts after some edits, or random bytes. */
export const mangled = (...sound: ReadonlyArray<string | Buffer>): fc.Arbitrary<Buffer> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(fc.constantFrom(...sound), fc.array(edit, { maxLength: 4 }))
        .map(([text, edits]) => edits.reduce(applied, Buffer.from(text))),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  )

/** The bytes in pieces. */
export const pieces = (bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<ReadonlyArray<Buffer>> =>
  fc.tuple(bytes, fc.array(share, { maxLength: 4 })).map(([whole, shares]) => {
    const cuts = [
      0,
      ...shares.map((one) => Math.floor(one * whole.length)).toSorted((a, b) => a - b),
      whole.length,
    ]
    return cuts.slice(1).map((to, at) => whole.subarray(cuts[at], to))
  })
