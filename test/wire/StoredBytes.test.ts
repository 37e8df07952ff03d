import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type ByteStore, replaced, type StoredBytes, storedBytes } from "../../src/wire/StoredBytes.ts"

/** A store whose bytes are at hand. */
class Held implements ByteStore {
  readonly bytes: Buffer
  constructor(bytes: Buffer) {
    this.bytes = bytes
  }
  async *read(from: number, to: number) {
    yield this.bytes.subarray(from, to)
  }
}

const readAll = ({ pieces }: StoredBytes): Buffer =>
  Buffer.concat(
    pieces.map((piece) => {
      if (piece instanceof Uint8Array) return piece
      if (piece.store instanceof Held) return piece.store.bytes.subarray(piece.from, piece.to)
      throw new Error("another store")
    }),
  )

describe("stored bytes", () => {
  it("law: replacements change what they name, and nothing else, wherever bytes are kept", () => {
    const replacements = fc
      .array(fc.tuple(fc.nat(60), fc.string({ maxLength: 4 })), { maxLength: 3 })
      .map((all) => all.map(([at, text]) => ({ at, bytes: Buffer.from(text) })))
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 20 })), { maxLength: 4 }),
        replacements,
        fc.nat(3),
        (parts, places, removed) => {
          const all = Buffer.concat(parts.map(([, bytes]) => bytes))
          const stored = storedBytes(
            parts.map(([isKept, bytes]) =>
              isKept
                ? { store: new Held(Buffer.concat([Buffer.from("?"), bytes])), from: 1, to: bytes.length + 1 }
                : bytes,
            ),
          )
          expect(stored.length).toBe(all.length)
          const edits: Array<{ start: number; end: number; bytes: Buffer }> = []
          for (const { at, bytes } of [...places].sort((one, other) => one.at - other.at)) {
            const start = Math.max(Math.min(at, all.length), edits.at(-1)?.end ?? 0)
            edits.push({ start, end: Math.min(all.length, start + removed), bytes })
          }
          const changed = replaced(stored, edits)
          let [expected, from] = [Buffer.alloc(0), 0]
          for (const { bytes, end, start } of edits) {
            expected = Buffer.concat([expected, all.subarray(from, start), bytes])
            from = end
          }
          expected = Buffer.concat([expected, all.subarray(from)])
          expect(readAll(changed).equals(expected)).toBe(true)
          expect(changed.length).toBe(expected.length)
        },
      ),
    )
  })
})
