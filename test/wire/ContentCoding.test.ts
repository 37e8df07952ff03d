import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Coding, codingsOf, mayBePacked, type Packing, packingOf } from "../../src/wire/ContentCoding.ts"

const all = () => true

describe("A content-encoding", () => {
  it.each<[string | undefined, ReadonlyArray<Coding> | undefined]>([
    [undefined, []],
    ["", []],
    ["identity", []],
    ["None, UTF-8", []],
    ["gzip", ["gzip"]],
    [" X-GZip ", ["gzip"]],
    ["br,gzip , identity", ["br", "gzip"]],
    ["DEFLATE,ZSTD", ["deflate", "zstd"]],
    ["gzip,gzip,gzip,gzip", ["gzip", "gzip", "gzip", "gzip"]],
    ["gzip,gzip,gzip,gzip,gzip", undefined],
    ["compress", undefined],
    ["gzip, x-rot13", undefined],
  ])("%s is %s", (header, codings) => {
    expect(codingsOf(header, all)).toEqual(codings)
  })

  it("is unknown where nothing here unpacks it", () => {
    expect(codingsOf("zstd", (coding) => coding !== "zstd")).toBeUndefined()
  })
})

const answer = Buffer.from('{"id":"chatcmpl-1","choices":[{"index":0}]}')
const events = Buffer.from('data: {"choices":[]}\n\n')
const zstdMark = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00])

describe("The first bytes of a body tell what it is packed in", () => {
  const cases: ReadonlyArray<readonly [string, Uint8Array, Coding | undefined, Packing | "nothing"]> = [
    ["gzip", gzipSync(answer), "gzip", "gzip"],
    ["gzip that was not said", gzipSync(answer), undefined, "gzip"],
    ["gzip that was said to be br", gzipSync(answer), "br", "gzip"],
    ["zlib", deflateSync(answer), "deflate", "zlib"],
    ["zlib of the fastest kind", deflateSync(answer, { level: 1 }), "deflate", "zlib"],
    ["bare deflate", deflateRawSync(answer), "deflate", "bare_deflate"],
    ["br", brotliCompressSync(answer), "br", "br"],
    ["zstd", zstdMark, "zstd", "zstd"],
    ["zstd that was not said", zstdMark, undefined, "zstd"],
    ["an answer", answer, undefined, "nothing"],
    ["events", events, undefined, "nothing"],
    ["text in brackets", Buffer.from("(busy)"), undefined, "nothing"],
    ["nothing at all, said to be gzip", new Uint8Array(), "gzip", "nothing"],
    ["garbage that was said to be gzip", Buffer.from([0x01, 0xff, 0x00]), "gzip", "gzip"],
    ...(["gzip", "deflate", "br", "zstd"] as const).flatMap((said) => [
      [`an answer that was said to be ${said}`, answer, said, "nothing"] as const,
      [`events that were said to be ${said}`, events, said, "nothing"] as const,
      [`a short body that was said to be ${said}`, Buffer.from("{}"), said, "nothing"] as const,
      [
        `an answer behind a byte order mark, said to be ${said}`,
        Buffer.from(`\uFEFF${answer}`),
        said,
        "nothing",
      ] as const,
    ]),
  ]

  it.each(cases)("%s", (_, bytes, said, packing) => {
    expect(packingOf(bytes, true, said)).toBe(packing)
  })

  it("and what they tell early, more of them do not take back", () => {
    for (const [, bytes, said, packing] of cases) {
      for (let length = 0; length <= bytes.length; length++) {
        expect([packing, undefined]).toContain(packingOf(bytes.subarray(0, length), false, said))
      }
    }
  })

  it("whatever they are", () => {
    const saidArb = fc.constantFrom(undefined, "gzip" as const, "deflate" as const, "br" as const)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), saidArb, (bytes, said) => {
        const told = packingOf(bytes, true, said)
        expect(told).toBeDefined()
        for (let length = 0; length <= bytes.length; length++) {
          const early = packingOf(bytes.subarray(0, length), false, said)
          if (early !== undefined) expect(early).toBe(told)
        }
        if (!mayBePacked(bytes)) expect(packingOf(bytes, true, undefined)).toBe("nothing")
      }),
    )
  })
})
