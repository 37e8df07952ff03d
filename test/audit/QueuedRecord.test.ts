import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { pack, unpack } from "../../src/audit/Parcel.ts"
import { queuedRecord, rowOfQueued, weightOf } from "../../src/audit/QueuedRecord.ts"
import type { AuditedBody, AuditRecord } from "../../src/domain/AuditRecord.ts"
import { bytesOf, fullPolicy, sampleRecord } from "../support/AuditRecords.ts"

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const events = (...datas: ReadonlyArray<string>): AuditedBody => ({
  kind: "events",
  data: datas.map(bytesOf),
  truncated: false,
})

const chunk = (delta: object, finish: string | null = null) =>
  JSON.stringify({
    id: "c1",
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason: finish }],
  })

describe("a queued record", () => {
  it("keeps no prompt and no answer where bodies are none", () => {
    const queued = queuedRecord(sampleRecord("a"), "k", { ...fullPolicy, bodies: "none" })
    const row = rowOfQueued(queued)
    expect(row.request).toBeNull()
    expect(row.response).toBeNull()
    expect(JSON.stringify(queued)).not.toContain("hello")
    expect(textOf(new Uint8Array(pack([queued]).bytes))).not.toContain("hello")
  })

  it("becomes a row with its bodies as they came", () => {
    const row = rowOfQueued(queuedRecord(sampleRecord("a"), "k", fullPolicy))
    expect(row.request).toBe('{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}')
    expect(row.response).toBe('{"choices":[]}')
  })

  it("reassembles a stream into the shape of a plain answer", () => {
    const response = events(
      chunk({ role: "assistant", content: "Hel" }),
      chunk({ content: "lo" }, "stop"),
      "[DONE]",
    )
    const row = rowOfQueued(queuedRecord(sampleRecord("a", { response }), "k", fullPolicy))
    expect(JSON.parse(String(row.response))).toMatchObject({
      object: "chat.completion",
      choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
    })
  })

  it("marks a body that is cut, and says how much there was", () => {
    const response = { kind: "plain", bytes: bytesOf("0123456789") } as const
    const policy = { ...fullPolicy, maxBodyBytes: 4 }
    const row = rowOfQueued(
      queuedRecord(sampleRecord("a", { request: bytesOf("héllo"), response }), "k", policy),
    )
    expect(row.request).toBe("hél…[cut: 4 of 6 bytes kept]")
    expect(row.response).toBe("0123…[cut: 4 of 10 bytes kept]")
  })

  it("law: cutting keeps the longest beginning of whole characters that fits", () => {
    fc.assert(
      fc.property(
        fc.fullUnicodeString({ maxLength: 40 }),
        fc.integer({ min: 0, max: 60 }),
        (text, maxBodyBytes) => {
          const bytes = bytesOf(text)
          const { request } = queuedRecord(sampleRecord("a", { request: bytes }), "k", {
            ...fullPolicy,
            maxBodyBytes,
          })
          const kept = textOf(request?.bytes ?? new Uint8Array())
          const chars = [...text]
          const fitting = Array.from({ length: chars.length + 1 }, (_, count) =>
            chars.slice(0, count).join(""),
          )
          const longest = fitting.findLast((part) => bytesOf(part).byteLength <= maxBodyBytes)
          expect(kept).toBe(longest)
          expect(request?.total).toBe(bytes.byteLength)
        },
      ),
    )
  })

  it("does not keep a large buffer alive for a small body in it", () => {
    const pool = new Uint8Array(1_000_000)
    const queued = queuedRecord(sampleRecord("a", { request: pool.subarray(10, 110) }), "k", fullPolicy)
    expect(queued.request?.bytes.buffer.byteLength).toBe(100)
  })

  it("weighs at least its bytes", () => {
    const response = events("a".repeat(3000), "b".repeat(5000))
    const queued = queuedRecord(
      sampleRecord("a", { request: new Uint8Array(7000), response }),
      "k",
      fullPolicy,
    )
    expect(weightOf(queued)).toBeGreaterThan(15_000)
  })
})

describe("a parcel", () => {
  const bytes = fc.uint8Array({ maxLength: 50 })
  const bodies: fc.Arbitrary<AuditedBody | undefined> = fc.oneof(
    fc.constant(undefined),
    bytes.map((some) => ({ kind: "plain", bytes: some }) as const),
    fc
      .tuple(fc.array(bytes, { maxLength: 4 }), fc.boolean())
      .map(([data, truncated]) => ({ kind: "events", data, truncated }) as const),
  )
  const records: fc.Arbitrary<AuditRecord> = fc
    .record({ id: fc.string(), request: fc.option(bytes, { nil: undefined }), response: bodies })
    .map(({ id, ...over }) => sampleRecord(id, over))

  it("law: records that crossed threads in a parcel are the records that were packed", () => {
    fc.assert(
      fc.property(
        fc.array(records, { maxLength: 5 }),
        fc.integer({ min: 1, max: 60 }),
        (some, maxBodyBytes) => {
          const queued = some.map((record, at) =>
            queuedRecord(record, `k${at}`, { ...fullPolicy, maxBodyBytes }),
          )
          const parcel = pack(queued)
          const received = unpack(structuredClone(parcel, { transfer: [parcel.bytes] }))
          expect(received).toEqual(queued)
          expect(parcel.bytes.byteLength).toBe(0)
        },
      ),
    )
  })
})
