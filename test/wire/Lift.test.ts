import fc from "fast-check"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { EventBuffer, type EventSink, type EventSource, type SourceEnd } from "../../src/wire/EventSource.ts"
import { lift, liftFinishing } from "../../src/wire/Lift.ts"
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

/** Has said all once it was given an "end", and tells that only when no more comes. */
class Sayings {
  isFinished = false
  take(events: Iterable<SseEvent>): ReadonlyArray<SseEvent> {
    const given = [...events]
    if (given.some((one) => textOf(one) === "end")) this.isFinished = true
    return given
  }
  rest(): ReadonlyArray<SseEvent> {
    if (this.isFinished) return [event("over")]
    throw new Error("It has no end.")
  }
}

describe("liftFinishing", () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  const graceMs = 100

  const finishing = (run = new Sayings()) => {
    const source = new Pushed()
    const taken = new Taken()
    const events = liftFinishing(run, graceMs)(source)
    events.attach(taken)
    return { source, taken, events }
  }

  it("ends what was said to its end, should its source not end in time", () => {
    const { source, taken } = finishing()
    source.push("a")
    vi.advanceTimersByTime(10 * graceMs)
    expect(taken.ends).toEqual([])
    source.push("end")
    vi.advanceTimersByTime(graceMs - 1)
    source.push("late")
    expect(taken.ends).toEqual([])
    vi.advanceTimersByTime(1)
    expect(taken.reads).toEqual([["a"], ["end"], ["late"], ["over"]])
    expect(taken.ends).toEqual([{ kind: "ended" }])
    expect(source.asked).toEqual(["close"])
    source.push("later")
    source.end({ kind: "ended" })
    expect(taken.reads.length).toBe(4)
    expect(taken.ends.length).toBe(1)
  })

  it("is ended by its source before, and then only once", () => {
    const { source, taken } = finishing()
    source.push("end")
    source.end({ kind: "ended" })
    vi.advanceTimersByTime(10 * graceMs)
    expect(taken.reads).toEqual([["end"], ["over"]])
    expect(taken.ends).toEqual([{ kind: "ended" }])
  })

  it("waits all the grace, and not while it is not read", () => {
    const { events, source, taken } = finishing()
    source.push("end")
    vi.advanceTimersByTime(graceMs - 1)
    events.pause()
    vi.advanceTimersByTime(10 * graceMs)
    source.push("late")
    vi.advanceTimersByTime(10 * graceMs)
    events.resume()
    vi.advanceTimersByTime(graceMs - 1)
    expect(taken.ends).toEqual([])
    vi.advanceTimersByTime(1)
    expect(taken.ends).toEqual([{ kind: "ended" }])
  })

  it("leaves no timer behind where it is left", () => {
    const { events, source, taken } = finishing()
    source.push("end")
    events.close()
    expect(vi.getTimerCount()).toBe(0)
    expect(taken.reads).toEqual([["end"], ["over"]])
    expect(taken.ends).toEqual([])
  })

  it("dies of a fault at its end, and throws nothing", () => {
    class Faulty extends Sayings {
      override rest(): ReadonlyArray<SseEvent> {
        throw new RangeError("Maximum call stack size exceeded")
      }
    }
    const { source, taken } = finishing(new Faulty())
    source.push("end")
    vi.advanceTimersByTime(graceMs)
    expect(taken.ends).toMatchObject([{ kind: "died" }])
    expect(source.asked).toContain("close")
  })
})
