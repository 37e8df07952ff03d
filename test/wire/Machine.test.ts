/** Laws of machines: composing is associative, has an identity, and loses nothing at the end. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { compose, type Machine, run } from "../../src/wire/Machine.ts"

type Numbers = Machine<number | undefined, number, number>

/** Gives out what it is given. */
const identity: Numbers = {
  initial: undefined,
  step: (state, input) => [state, [input]],
  halt: () => [],
}

/** Holds one number back: gives out sums of pairs, and a single last one at the end. */
const pairs: Numbers = {
  initial: undefined,
  step: (held, input) => (held === undefined ? [input, []] : [undefined, [held + input]]),
  halt: (held) => (held === undefined ? [] : [held]),
}

/** Gives out every number twice, and -1 at the end. */
const twice: Numbers = {
  initial: undefined,
  step: (state, input) => [state, [input, input]],
  halt: () => [-1],
}

/** Gives out how many numbers have come, at the end only. */
const count: Numbers = {
  initial: 0,
  step: (state = 0) => [state + 1, []],
  halt: (state = 0) => [state],
}

/** Drops odd numbers and marks the others with their place. */
const evens: Numbers = {
  initial: 0,
  step: (state = 0, input) => (input % 2 === 0 ? [state + 1, [input * 10 + state]] : [state, []]),
  halt: () => [],
}

const inputsArb = fc.array(fc.integer({ min: 0, max: 99 }), { maxLength: 12 })
const machineArb = fc.constantFrom(identity, pairs, twice, count, evens)

describe("run", () => {
  it("gives out what the end flushes after everything else", () => {
    expect(run(pairs, [1, 2, 3])).toEqual([3, 3])
    expect(run(twice, [])).toEqual([-1])
  })
})

describe("compose", () => {
  it("sends what the first flushes at the end through the second before the second ends", () => {
    expect(run(compose(twice, pairs), [5])).toEqual([10, -1])
    expect(run(compose(pairs, count), [1, 2, 3])).toEqual([2])
    expect(run(compose(count, twice), [7, 7])).toEqual([2, 2, -1])
  })

  it("law: running a composition is running the second over what the first gave", () => {
    fc.assert(
      fc.property(inputsArb, machineArb, machineArb, (inputs, first, second) => {
        expect(run(compose(first, second), inputs)).toEqual(run(second, run(first, inputs)))
      }),
    )
  })

  it("law: it is associative", () => {
    fc.assert(
      fc.property(inputsArb, machineArb, machineArb, machineArb, (inputs, a, b, c) => {
        expect(run(compose(compose(a, b), c), inputs)).toEqual(run(compose(a, compose(b, c)), inputs))
      }),
    )
  })

  it("law: the identity changes nothing on either side", () => {
    fc.assert(
      fc.property(inputsArb, machineArb, (inputs, machine) => {
        const alone = run(machine, inputs)
        expect(run(compose(identity, machine), inputs)).toEqual(alone)
        expect(run(compose(machine, identity), inputs)).toEqual(alone)
      }),
    )
  })

  it("law: outputs do not wait, each step gives what both machines give for that input", () => {
    fc.assert(
      fc.property(inputsArb, machineArb, machineArb, (inputs, first, second) => {
        const composed = compose(first, second)
        let [one, two, both] = [first.initial, second.initial, composed.initial]
        for (const input of inputs) {
          const [nextOne, between] = first.step(one, input)
          const expected: Array<number> = []
          for (const value of between) {
            const [nextTwo, given] = second.step(two, value)
            two = nextTwo
            expected.push(...given)
          }
          one = nextOne
          const [nextBoth, given] = composed.step(both, input)
          both = nextBoth
          expect(given).toEqual(expected)
        }
      }),
    )
  })
})
