import * as Either from "effect/Either"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { nothingOmitted } from "../../../src/operations/Additions.ts"
import { type Form, toldForm } from "../../../src/operations/multipart/Form.ts"
import { FormCollector } from "../../../src/operations/multipart/FormCollector.ts"
import { formReader } from "../../../src/operations/multipart/FormRequest.ts"
import { MultipartReader } from "../../../src/wire/Multipart.ts"
import { type StoredBytes, storedBytes } from "../../../src/wire/StoredBytes.ts"
import { makeUpstream } from "../../support/arbitraries.ts"
import { type FormEntry, fieldsIn, file, formOf } from "../../support/Forms.ts"

const boundary = "b"

const readForm = (bytes: Uint8Array, digests = false): Form => {
  const collector = new FormCollector(digests)
  const reader = new MultipartReader(boundary, collector)
  reader.feed(bytes)
  reader.end()
  expect(reader.fault).toBeUndefined()
  return { boundary, parts: collector.parts, bytes: storedBytes([bytes]), closedAt: reader.closedAt ?? -1 }
}

const textOf = ({ pieces }: StoredBytes): string =>
  Buffer.concat(pieces.flatMap((piece) => (piece instanceof Uint8Array ? [piece] : []))).toString("latin1")

const prepared = (bytes: Uint8Array, upstreamModel: string, extraBody = {}, defaultModel?: string) => {
  const request = Either.getOrThrow(
    formReader(defaultModel === undefined ? undefined : () => defaultModel)(readForm(bytes), {}),
  )
  const target = { upstream: makeUpstream({ extraBody }), upstreamModel }
  return Either.getOrThrow(request.bodyFor(target, nothingOmitted))
}

const entries: ReadonlyArray<FormEntry> = [
  ["file", file("a.mp3", "audio/mpeg")],
  ["timestamp_granularities[]", "word"],
  ["model", "whisper-1"],
  ["timestamp_granularities[]", "segment"],
]

/** A form of these lines, each of which ends with CRLF. */
const lines = (...all: ReadonlyArray<string>): Buffer =>
  Buffer.from(all.map((line) => `${line}\r\n`).join(""))

const modelHead = 'Content-Disposition: form-data; name="model"'

describe("a form for a target", () => {
  it("is the very bytes that came where the model is called the same", () => {
    const { bytes } = formOf(entries, boundary)
    const { asItCame, body } = prepared(bytes, "whisper-1")
    expect(asItCame).toBe(true)
    expect(textOf(body)).toBe(bytes.toString("latin1"))
  })

  it("law: differs in nothing but the model's value where it is called otherwise", () => {
    const value = fc.string({ maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, ""))
    const more = fc.array(fc.tuple(fc.constantFrom("prompt", "include[]", "image[]", "x"), value), {
      maxLength: 5,
    })
    fc.assert(
      fc.property(more, more, fc.string({ minLength: 1 }), (before, after, name) => {
        const form = (model: string) => formOf([...before, ["model", model], ...after], boundary).bytes
        const { body } = prepared(form("gpt-4o-transcribe"), name)
        expect(textOf(body)).toBe(form(name).toString("latin1"))
        expect(body.length).toBe(form(name).length)
      }),
    )
  })

  it("has a field for the model where the form had none, and for what extra_body adds", () => {
    const { bytes, type } = formOf(
      [
        ["image", file("a.png", "image/png")],
        ["n", "2"],
      ],
      boundary,
    )
    const extra = { n: 5, user: "u", flags: ["a", "b"], stream: true, options: { a: 1 }, nothing: null }
    const { asItCame, body } = prepared(bytes, "dall-e-3", extra, "dall-e-2")
    expect(asItCame).toBe(false)
    const sent = Buffer.from(textOf(body), "latin1")
    expect(sent.subarray(0, bytes.length - "--b--\r\n".length)).toEqual(
      bytes.subarray(0, -"--b--\r\n".length),
    )
    expect(fieldsIn(sent, type)).toMatchObject({
      n: "2",
      model: "dall-e-3",
      user: "u",
      flags: ["a", "b"],
      options: '{"a":1}',
    })
    expect(Object.keys(fieldsIn(sent, type))).not.toContain("stream")
    expect(Object.keys(fieldsIn(sent, type))).not.toContain("nothing")
    expect(prepared(bytes, "dall-e-2", {}, "dall-e-2").asItCame).toBe(true)
  })
})

describe("a form's affinity", () => {
  const affinity = (all: ReadonlyArray<FormEntry>, digests = false) =>
    Either.getOrThrow(
      formReader()(readForm(formOf([...all, ["model", "m"]], boundary).bytes, digests), {}),
    ).affinity()
  const sound = (name: string): FormEntry => ["file", file(name, "audio/mpeg")]

  it("is the same whatever is kept of its files, short, and another's where a name, a size or a field differs", () => {
    const prompt: FormEntry = ["prompt", "x".repeat(100_000)]
    const of = affinity([prompt, sound("a.mp3")])
    expect(affinity([prompt, sound("a.mp3")], true)).toBe(of)
    expect(of.length).toBeLessThanOrEqual(1_024)
    expect(affinity([prompt, sound("b.mp3")])).not.toBe(of)
    expect(affinity([["prompt", "y"], sound("a.mp3")])).not.toBe(of)
  })
})

describe("the model of a form", () => {
  const read = (bytes: Uint8Array, deployment?: string, defaultModel?: string) =>
    Either.mapBoth(
      formReader(defaultModel === undefined ? undefined : () => defaultModel)(readForm(bytes), {
        deployment,
      }),
      {
        onLeft: ({ message, param }) => ({ message, param }),
        onRight: ({ facts }) => facts.model,
      },
    )

  it("is found wherever it stands, else is the deployment's or the default", () => {
    const { bytes } = formOf(entries, boundary)
    expect(read(bytes)).toEqual(Either.right("whisper-1"))
    expect(read(bytes, "deployed")).toEqual(Either.right("deployed"))
    const without = formOf(entries.slice(0, 2), boundary).bytes
    expect(read(without, undefined, "dall-e-2")).toEqual(Either.right("dall-e-2"))
    expect(read(without)).toMatchObject(Either.left({ param: "model", message: "`model` is missing." }))
  })

  const unclear: ReadonlyArray<readonly [what: string, form: Buffer, message: RegExp]> = [
    [
      "stands twice",
      formOf(
        [
          ["model", "a"],
          ["model", "a"],
        ],
        boundary,
      ).bytes,
      /more than once/,
    ],
    ["is empty", formOf([["model", ""]], boundary).bytes, /empty/],
    ["is very long", formOf([["model", "m".repeat(2_000)]], boundary).bytes, /longer than 1024/],
    ["is megabytes long", formOf([["model", "m".repeat(2_000_000)]], boundary).bytes, /readable length/],
    ...["Model", "MODEL", "mo%64el", "model[]", " model", "'model'", "m-o-d-e-l", "model\u200b"].map(
      (name) =>
        [
          `is called ${name}`,
          formOf(
            [
              ["model", "a"],
              [name, "b"],
            ],
            boundary,
          ).bytes,
          /another spelling/,
        ] as const,
    ),
    ["is a file", formOf([["model", file("m", "text/plain")]], boundary).bytes, /as a file/],
    ["is a file without a name", lines("--b", `${modelHead}; filename=""`, "", "m", "--b--"), /as a file/],
    [
      "is encoded",
      lines("--b", modelHead, "Content-Transfer-Encoding: base64", "", "d2hpc3Blcg==", "--b--"),
      /transfer encoding/,
    ],
    [
      "is in another charset",
      lines("--b", modelHead, "Content-Type: text/plain; charset=utf-16", "", "m", "--b--"),
      /plain UTF-8/,
    ],
    [
      "is no UTF-8",
      Buffer.concat([lines("--b", modelHead, ""), Buffer.from([0xff]), Buffer.from("\r\n--b--")]),
      /plain UTF-8/,
    ],
    [
      "is in whatever charset a field names",
      formOf(
        [
          ["_charset_", "utf-16"],
          ["model", "m"],
        ],
        boundary,
      ).bytes,
      /_charset_/,
    ],
  ]
  it.each(unclear)("is refused where it %s", (_, form, message) => {
    const got = read(form)
    expect(Either.isLeft(got) && got.left.message).toMatch(message)
  })

  it("may say that it is plain text", () => {
    const plain = ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
    expect(read(lines("--b", modelHead, ...plain, "", "m", "--b--"))).toEqual(Either.right("m"))
    expect(
      read(
        formOf(
          [
            ["_charset_", "UTF-8"],
            ["model", "m"],
          ],
          boundary,
        ).bytes,
      ),
    ).toEqual(Either.right("m"))
  })

  it("streams where the form says so, in the words of Python", () => {
    const streams = (value: string) =>
      Either.map(
        formReader()(
          readForm(
            formOf(
              [
                ["model", "m"],
                ["stream", value],
              ],
              boundary,
            ).bytes,
          ),
          {},
        ),
        ({ facts }) => facts.stream,
      )
    for (const yes of ["true", "True", "1", "on"]) expect(streams(yes)).toEqual(Either.right(true))
    for (const no of ["false", "False", "0"]) expect(streams(no)).toEqual(Either.right(false))
    for (const neither of ["", "maybe", "true "]) expect(Either.isLeft(streams(neither))).toBe(true)
  })
})

describe("what records tell of a form", () => {
  it("is its fields, and of files all but their bytes", () => {
    const { bytes } = formOf([...entries, ["prompt", "Ünïcode"]], boundary)
    expect(JSON.parse(toldForm(readForm(bytes, true)))).toEqual({
      file: {
        filename: "a.mp3",
        content_type: "audio/mpeg",
        bytes: 10,
        sha256: "13a9fd333b99160045b3a2bc4c8535f05f088de9898c2cca567bed621bffc62c",
      },
      "timestamp_granularities[]": ["word", "segment"],
      model: "whisper-1",
      prompt: "Ünïcode",
    })
  })

  it("is bounded, however long its fields are", () => {
    const long = formOf(
      [["model", "m"], ...Array.from({ length: 9 }, () => ["p", "x".repeat(100_000)] as const)],
      boundary,
    )
    const told = toldForm(readForm(long.bytes))
    expect(told.length).toBeLessThan(550_000)
    expect(told).toContain('{"bytes":100000}')
    expect(
      toldForm(
        readForm(
          formOf(
            [
              ["__proto__", "x"],
              ["model", "m"],
            ],
            boundary,
          ).bytes,
        ),
      ),
    ).toContain("__proto__")
  })
})
