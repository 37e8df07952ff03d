import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Packer, type Parcel, unpack } from "../../../src/audit/queue/Parcel.ts"
import {
  type QueuedRecord,
  queuedRecord,
  rowOfQueued,
  weightOf,
} from "../../../src/audit/queue/QueuedRecord.ts"
import type { AuditedBody, AuditRecord } from "../../../src/audit/record/AuditRecord.ts"
import { byColumn } from "../../../src/audit/sqlite/Rows.ts"
import { bytesOf, fullPolicy, keyIn, packedOf, sampleRecord } from "../../support/AuditRecords.ts"

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const events = (...datas: ReadonlyArray<string>): AuditedBody => ({
  kind: "events",
  packed: packedOf(datas.map(bytesOf)),
  truncated: false,
})

const chunk = (delta: object, finish: string | null = null) =>
  JSON.stringify({
    id: "c1",
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason: finish }],
  })

/** All parcels of these records. */
const packed = (records: ReadonlyArray<QueuedRecord>): ReadonlyArray<Parcel> => {
  const packer = new Packer()
  for (const record of records) packer.add(record)
  return parcelsOf(packer)
}

const parcelsOf = (packer: Packer): ReadonlyArray<Parcel> => {
  const parcels: Array<Parcel> = []
  for (let parcel = packer.take(); parcel !== undefined; parcel = packer.take()) parcels.push(parcel)
  return parcels
}

describe("a queued record", () => {
  it("keeps no prompt and no answer where bodies are none", () => {
    const queued = queuedRecord(sampleRecord("a"), "k", { ...fullPolicy, bodies: "none" })
    const row = byColumn(rowOfQueued(queued))
    expect(row["request"]).toBeNull()
    expect(row["response"]).toBeNull()
    expect(JSON.stringify(queued)).not.toContain("hello")
    const [parcel] = packed([queued])
    expect(textOf(parcel?.bytes ?? new Uint8Array())).toContain('"k"')
    expect(textOf(parcel?.bytes ?? new Uint8Array())).not.toContain("hello")
  })

  it("becomes a row with its bodies as they came", () => {
    const row = byColumn(rowOfQueued(queuedRecord(sampleRecord("a"), "k", fullPolicy)))
    expect(row["request"]).toBe('{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}')
    expect(row["response"]).toBe('{"choices":[]}')
  })

  it("reassembles a stream into the shape of a plain answer", () => {
    const response = events(
      chunk({ role: "assistant", content: "Hel" }),
      chunk({ content: "lo" }, "stop"),
      "[DONE]",
    )
    const row = byColumn(rowOfQueued(queuedRecord(sampleRecord("a", { response }), "k", fullPolicy)))
    expect(JSON.parse(String(row["response"]))).toMatchObject({
      object: "chat.completion",
      choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
    })
  })

  it("reads off a reassembled stream what it is called and by which tariff it was made", () => {
    const response = events(
      JSON.stringify({ id: "c1", service_tier: null, choices: [{ index: 0, delta: { content: "a" } }] }),
      JSON.stringify({ id: "c1", service_tier: "flex", choices: [{ index: 0, delta: { content: "b" } }] }),
    )
    const record = sampleRecord("a", { response, responseId: undefined, serviceTier: undefined })
    const row = byColumn(rowOfQueued(queuedRecord(record, "k", fullPolicy)))
    expect(row).toMatchObject({ response_id: "c1", service_tier: "flex" })
    const kept = byColumn(rowOfQueued(queuedRecord(sampleRecord("a"), "k", fullPolicy)))
    expect(kept).toMatchObject({ response_id: "chatcmpl-1", service_tier: "default" })
  })

  it("marks a body that is cut, and says how much there was", () => {
    const response = { kind: "plain", bytes: bytesOf("0123456789") } as const
    const policy = { ...fullPolicy, maxBodyBytes: 4 }
    const row = byColumn(
      rowOfQueued(queuedRecord(sampleRecord("a", { request: bytesOf("héllo"), response }), "k", policy)),
    )
    expect(row["request"]).toBe("hél…[cut: 4 of 6 bytes kept]")
    expect(row["response"]).toBe("0123…[cut: 4 of 10 bytes kept]")
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
    fc.tuple(fc.array(bytes, { maxLength: 4 }), fc.boolean()).map(
      ([datas, truncated]) =>
        ({
          kind: "events",
          packed: packedOf(datas),
          truncated,
        }) as const,
    ),
  )
  const records: fc.Arbitrary<AuditRecord> = fc
    .record({ id: fc.string(), request: fc.option(bytes, { nil: undefined }), response: bodies })
    .map(({ id, ...over }) => sampleRecord(id, over))

  it("law: records that were packed, by one packer or by several into one, are the records that are unpacked", () => {
    fc.assert(
      fc.property(
        fc.array(records, { maxLength: 5 }),
        fc.array(records, { maxLength: 5 }),
        fc.integer({ min: 1, max: 60 }),
        (some, others, maxBodyBytes) => {
          const queued = [...some, ...others].map((record, at) =>
            queuedRecord(record, `k${at}`, { ...fullPolicy, maxBodyBytes }),
          )
          const packer = new Packer()
          for (const record of queued.slice(0, some.length)) packer.add(record)
          for (const parcel of packed(queued.slice(some.length))) packer.append(structuredClone(parcel))
          const parcels = parcelsOf(packer)
          expect(parcels.flatMap((parcel) => unpack(structuredClone(parcel)))).toEqual(queued)
          expect(parcels.reduce((sum, parcel) => sum + parcel.records, 0)).toBe(queued.length)
        },
      ),
    )
  })

  it("holds at most 250 records, and 4 MB unless one record alone is larger", () => {
    const sized = (key: string, size: number) =>
      queuedRecord(sampleRecord("a", { request: new Uint8Array(size) }), key, {
        ...fullPolicy,
        maxBodyBytes: 100_000_000,
      })
    const small = packed(Array.from({ length: 600 }, (_, at) => sized(`s${at}`, 10)))
    expect(small.map((parcel) => parcel.records)).toEqual([250, 250, 100])
    const sizes = [3_000_000, 2_000_000, 9_000_000, 100]
    const large = packed(sizes.map((size, at) => sized(`l${at}`, size)))
    expect(large.map((parcel) => parcel.records)).toEqual([1, 1, 1, 1])
    expect(large.flatMap(unpack).map(({ request }) => request?.bytes.byteLength)).toEqual(sizes)
  })

  it("holds at most 4 MB of what streams' data is when it is unpacked, however little it takes packed", () => {
    const repeated = packedOf(
      Array.from({ length: 1_000 }, () => bytesOf(chunk({ content: "again" }).padEnd(1_000))),
    )
    expect(repeated.length).toBeLessThan(10_000)
    const response = { kind: "events", packed: repeated, truncated: false } as const
    const parcels = packed(
      Array.from({ length: 10 }, (_, at) =>
        queuedRecord(sampleRecord("a", { response }), `k${at}`, fullPolicy),
      ),
    )
    expect(parcels.map((parcel) => parcel.records)).toEqual([4, 4, 2])
  })

  it("lends a room that had to grow as well, so that large bodies do not make a new one each time", () => {
    const packer = new Packer()
    const rooms = new Set<ArrayBufferLike>()
    for (let at = 0; at < 50; at++) {
      const request = new Uint8Array(1_000_000)
      const policy = { ...fullPolicy, maxBodyBytes: 2_000_000 }
      packer.add(queuedRecord(sampleRecord("a", { request }), `k${at}`, policy))
      const parcel = packer.take()
      if (parcel === undefined) continue
      rooms.add(parcel.bytes.buffer)
      packer.reuse(parcel)
    }
    expect(rooms.size).toBeLessThanOrEqual(2)
  })

  it("lends its room to a later one only after it was given back", () => {
    const packer = new Packer()
    const fill = (key: string): Parcel | undefined => {
      packer.add(queuedRecord(sampleRecord(key), key, fullPolicy))
      return packer.take()
    }
    const keysIn = (parcel: Parcel | undefined) =>
      parcel === undefined ? [] : unpack(parcel).map(({ values }) => keyIn(values))
    const first = fill("first")
    const second = fill("second")
    expect([...keysIn(first), ...keysIn(second)]).toEqual(["first", "second"])
    if (first !== undefined) packer.reuse(first)
    fill("third")
    const fourth = fill("fourth")
    expect(fourth?.bytes.buffer).toBe(first?.bytes.buffer)
    expect([...keysIn(second), ...keysIn(fourth)]).toEqual(["second", "fourth"])
  })
})
