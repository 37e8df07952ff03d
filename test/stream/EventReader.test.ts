import { describe, expect, it } from "@effect/vitest"
import fc from "fast-check"
import type { SseEvent } from "../../src/domain/Sse.ts"
import { EventReader } from "../../src/stream/EventReader.ts"
import type { SourceEnd } from "../../src/stream/EventSource.ts"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const text = ({ data }: Pick<SseEvent, "data">): string => new TextDecoder().decode(data)

/** Takes everything a reader gives. */
const sink = () => {
  const events: Array<string> = []
  const ends: Array<SourceEnd<unknown>> = []
  return {
    events,
    ends,
    onEvents: (some: ReadonlyArray<SseEvent>) => void events.push(...some.map(text)),
    onEnd: (end: SourceEnd<unknown>) => void ends.push(end),
  }
}

describe("An event reader", () => {
  it("shows the first event as soon as it is whole, and gives it with all others", () => {
    const reader = new EventReader<never>()
    reader.read(bytes(": ping\n\nda"))
    expect(reader.first).toBeUndefined()
    reader.read(bytes("ta: a\n\ndata: b\n\n"))
    expect(reader.first === undefined ? "" : text(reader.first)).toBe("a")
    const taken = sink()
    reader.attach(taken)
    expect(taken.events).toEqual(["a", "b"])
    reader.read(bytes("data: c\n\n"))
    reader.end({ kind: "ended" })
    expect([taken.events, taken.ends]).toEqual([["a", "b", "c"], [{ kind: "ended" }]])
  })

  it("takes an event that ends with the stream for one, but none that broke off with it", () => {
    const whole = new EventReader<string>()
    whole.read(bytes('data: {"a":1}'))
    whole.end({ kind: "ended" })
    expect(whole.first === undefined ? "" : text(whole.first)).toBe('{"a":1}')
    const broken = new EventReader<string>()
    broken.read(bytes('data: {"a":1}'))
    broken.end({ kind: "failed", error: "reset" })
    expect(broken.first).toBeUndefined()
  })

  it("ends with an event without end, after those before it", () => {
    const reader = new EventReader<never>()
    const taken = sink()
    reader.attach(taken)
    reader.read(bytes("data: a\n\ndata: "))
    const megabyte = bytes("x".repeat(1024 * 1024))
    for (let at = 0; at < 40; at++) reader.read(megabyte)
    expect(taken.events).toEqual(["a"])
    expect(taken.ends).toMatchObject([{ kind: "failed", error: { _tag: "EventTooLarge" } }])
    expect(reader.excess?._tag).toBe("EventTooLarge")
  })

  it("law: gives the same events whenever somebody begins to take them", () => {
    const pieces = fc.array(fc.constantFrom("data: a\n\n", "data: b", "\n", "\n\n", ": c\n"), {
      maxLength: 12,
    })
    fc.assert(
      fc.property(pieces, fc.nat(12), (some, attachedAfter) => {
        const given = (after: number) => {
          const reader = new EventReader<never>()
          const taken = sink()
          for (const [at, piece] of some.entries()) {
            if (at === after) reader.attach(taken)
            reader.read(bytes(piece))
          }
          if (after >= some.length) reader.attach(taken)
          reader.end({ kind: "ended" })
          return [taken.events, taken.ends]
        }
        expect(given(attachedAfter)).toEqual(given(0))
      }),
    )
  })
})
