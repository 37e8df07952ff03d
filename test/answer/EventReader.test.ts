import { describe, expect, it } from "@effect/vitest"
import fc from "fast-check"
import { EventReader } from "../../src/answer/EventReader.ts"
import type { SourceEnd } from "../../src/wire/EventSource.ts"
import type { SseEvent } from "../../src/wire/Sse.ts"

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

const ignored = (): void => {}

describe("An event reader", () => {
  it("tells what each read brought, and gives all of it to whoever comes", () => {
    const reader = new EventReader<never>(ignored)
    expect(reader.read(bytes(": ping\n\nda"))).toEqual([])
    expect(reader.read(bytes('ta: {"a":1}\n\ndata: {"b":1}\n\n')).map(text)).toEqual(['{"a":1}', '{"b":1}'])
    const taken = sink()
    reader.attach(taken)
    expect(taken.events).toEqual(['{"a":1}', '{"b":1}'])
    reader.read(bytes('data: {"c":1}\n\n'))
    reader.end({ kind: "ended" })
    expect([taken.events, taken.ends]).toEqual([['{"a":1}', '{"b":1}', '{"c":1}'], [{ kind: "ended" }]])
  })

  it("takes an event that ends with the stream for one, but none that broke off with it", () => {
    const whole = new EventReader<string>(ignored)
    whole.read(bytes('data: {"a":1}'))
    expect(whole.end({ kind: "ended" }).map(text)).toEqual(['{"a":1}'])
    const broken = new EventReader<string>(ignored)
    broken.read(bytes('data: {"a":1}'))
    expect(broken.end({ kind: "failed", error: "reset" })).toEqual([])
  })

  it("passes over what is no JSON object, and tells of it; pings only go to whoever is there", () => {
    let passedOver = 0
    const reader = new EventReader<never>(() => void passedOver++)
    reader.read(bytes('data: loading\n\nevent: ping\ndata: {}\n\ndata: 12\n\ndata: {"a":1}\n\n'))
    const taken = sink()
    reader.attach(taken)
    expect([taken.events, passedOver]).toEqual([['{"a":1}'], 2])
    reader.read(bytes('data: {"type":"ping"}\n\n'))
    expect([taken.events, passedOver]).toEqual([['{"a":1}', ""], 2])
  })

  it("ends with an event without end, after those before it", () => {
    const reader = new EventReader<never>(ignored)
    const taken = sink()
    reader.attach(taken)
    reader.read(bytes('data: {"a":1}\n\ndata: '))
    const megabyte = bytes("x".repeat(1024 * 1024))
    for (let at = 0; at < 40; at++) reader.read(megabyte)
    expect(taken.events).toEqual(['{"a":1}'])
    expect(taken.ends).toMatchObject([{ kind: "failed", error: { _tag: "EventTooLarge" } }])
    expect(reader.excess?._tag).toBe("EventTooLarge")
  })

  it("law: gives the same events whenever somebody begins to take them", () => {
    const pieces = fc.array(
      fc.constantFrom('data: {"a":1}\n\n', 'data: {"b":1}', "data: c\n\n", "\n", "\n\n", ": c\n"),
      {
        maxLength: 12,
      },
    )
    fc.assert(
      fc.property(pieces, fc.nat(12), (some, attachedAfter) => {
        const given = (after: number) => {
          const reader = new EventReader<never>(ignored)
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
