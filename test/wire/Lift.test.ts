import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { EventBuffer, type EventSink, type EventSource, type SourceEnd } from "../../src/wire/EventSource.ts"
import { lift } from "../../src/wire/Lift.ts"
import { type Machine, MachineRun, run } from "../../src/wire/Machine.ts"
import type { SseEvent } from "../../src/wire/Sse.ts"

const event = (text: string): SseEvent => ({ data: Buffer.from(text), event: undefined })

const textOf = ({ data }: SseEvent): string => Buffer.from(data).toString()

/** Gives out pairs as one event; holds back what has no partner yet. */
const pairs: Machine<SseEvent | undefined, SseEvent, SseEvent> = {
  initial: undefined,
  step: (held, input) =>
    held === undefined ? [input, []] : [undefined, [event(textOf(held) + textOf(input))]],
  halt: (held) => (held === undefined ? [] : [held]),
}

/** Events that are pushed by hand, and what was asked of their source. */
class Pushed implements EventSource<string> {
  readonly #buffer = new EventBuffer<string>()
  readonly asked: Array<string> = []

  attach(sink: EventSink<string>): void {
    this.#buffer.attach(sink)
  }
  pause(): void {
    this.asked.push("pause")
  }
  resume(): void {
    this.asked.push("resume")
  }
  close(): void {
    this.asked.push("close")
  }
  push(...texts: ReadonlyArray<string>): void {
    this.#buffer.onEvents(texts.map(event))
  }
  end(end: SourceEnd<string>): void {
    this.#buffer.onEnd(end)
  }
}

/** What came of a source: the events of each read, and its end. */
class Taken implements EventSink<string> {
  readonly reads: Array<ReadonlyArray<string>> = []
  readonly ends: Array<SourceEnd<string>> = []

  readonly onEvents = (events: ReadonlyArray<SseEvent>): void => void this.reads.push(events.map(textOf))
  readonly onEnd = (end: SourceEnd<string>): void => void this.ends.push(end)
}

const lifted = (machine = pairs) => {
  const source = new Pushed()
  const taken = new Taken()
  const events = lift(new MachineRun(machine))(source)
  events.attach(taken)
  return { source, taken, events }
}

describe("lift", () => {
  it("law: gives what the machine gives, for every cutting into reads, and what it holds back at the end", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.string())), (reads) => {
        const { source, taken } = lifted()
        for (const texts of reads) source.push(...texts)
        source.end({ kind: "ended" })
        expect(taken.reads.flat()).toEqual(run(pairs, reads.flat().map(event)).map(textOf))
        expect(taken.ends).toEqual([{ kind: "ended" }])
      }),
    )
  })

  it("gives out what a read brings at once, and nothing where it brings nothing", () => {
    const { source, taken } = lifted()
    source.push("a")
    expect(taken.reads).toEqual([])
    source.push("b", "c", "d")
    expect(taken.reads).toEqual([["ab", "cd"]])
  })

  it("gives out what was held back before a failure", () => {
    const { source, taken } = lifted()
    source.push("a", "b", "c")
    source.end({ kind: "failed", error: "broken" })
    expect(taken.reads).toEqual([["ab"], ["c"]])
    expect(taken.ends).toEqual([{ kind: "failed", error: "broken" }])
  })

  it("gives out what was held back where it is left before the end, once, and ends what it reads", () => {
    const { events, source, taken } = lifted()
    source.push("a")
    events.close()
    expect(taken.reads).toEqual([["a"]])
    events.close()
    expect(taken.reads).toEqual([["a"]])
    expect(source.asked).toEqual(["close", "close"])
  })

  it("stops and goes on where its source does", () => {
    const { events, source } = lifted()
    events.pause()
    events.resume()
    expect(source.asked).toEqual(["pause", "resume"])
  })

  it("ends in a fault of the machine, and reads no further", () => {
    const fault = new Error("no step")
    const { source, taken } = lifted({
      ...pairs,
      step: () => {
        throw fault
      },
    })
    source.push("a")
    expect(taken.ends).toEqual([{ kind: "died", defect: fault }])
    expect(source.asked).toEqual(["close"])
  })

  it("ends in a fault of what the machine holds back, at the end and where it is left", () => {
    const fault = new Error("no halt")
    const faulty: typeof pairs = {
      ...pairs,
      halt: () => {
        throw fault
      },
    }
    const ended = lifted(faulty)
    ended.source.end({ kind: "ended" })
    expect(ended.taken.ends).toEqual([{ kind: "died", defect: fault }])
    const left = lifted(faulty)
    left.events.close()
    expect(left.taken.ends).toEqual([{ kind: "died", defect: fault }])
  })
})
