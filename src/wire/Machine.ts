/**
 * A stream transformation as plain values: where it starts, what each input does, what the end gives out.
 *
 * Machines are pure, so the laws of a transformation ("any cutting of the input gives the same output") are tested without a
 * stream, a clock or a socket, and several are composed into one before anything is lifted to a `Stream`: one lift costs what
 * one machine costs, however many stand in it.
 */

/** `step` and `halt` never mutate a state they were given. `halt` flushes whatever is held back. */
export interface Machine<State, Input, Output> {
  readonly initial: State
  readonly step: (state: State, input: Input) => readonly [state: State, outputs: ReadonlyArray<Output>]
  readonly halt: (state: State) => ReadonlyArray<Output>
}

/** Feeds every output of `first` to `second`; what `first` flushes at the end still goes through `second`. */
export const compose = <S1, A, B, S2, C>(
  first: Machine<S1, A, B>,
  second: Machine<S2, B, C>,
): Machine<readonly [S1, S2], A, C> => {
  const feed = (state: S2, inputs: ReadonlyArray<B>): readonly [S2, ReadonlyArray<C>] => {
    if (inputs.length === 0) return [state, []]
    const only = inputs[0]
    if (inputs.length === 1 && only !== undefined) return second.step(state, only)
    const outputs: Array<C> = []
    let current = state
    for (const input of inputs) {
      const [next, produced] = second.step(current, input)
      current = next
      for (const output of produced) outputs.push(output)
    }
    return [current, outputs]
  }
  return {
    initial: [first.initial, second.initial],
    step: ([s1, s2], input) => {
      const [next1, between] = first.step(s1, input)
      const [next2, outputs] = feed(s2, between)
      return [[next1, next2], outputs]
    },
    halt: ([s1, s2]) => {
      const [last, outputs] = feed(s2, first.halt(s1))
      return [...outputs, ...second.halt(last)]
    },
  }
}

/** A machine under way, whatever its state: its outputs are taken as its inputs come. */
export interface Running<Input, Output> {
  /** What these inputs give. */
  readonly take: (inputs: Iterable<Input>) => ReadonlyArray<Output>
  /** What is held back, once: no more is to come. */
  readonly rest: () => ReadonlyArray<Output>
}

/** One that may know before its inputs end that all has been said: then `rest` tells the end. */
export interface Finishing<Input, Output> extends Running<Input, Output> {
  readonly isFinished: boolean
}

/** Mutable on purpose: one stream. */
export class MachineRun<State, Input, Output> implements Running<Input, Output> {
  readonly #machine: Machine<State, Input, Output>
  #state: State
  #isOver = false

  constructor(machine: Machine<State, Input, Output>) {
    this.#machine = machine
    this.#state = machine.initial
  }

  take(inputs: Iterable<Input>): ReadonlyArray<Output> {
    const outputs: Array<Output> = []
    for (const input of inputs) {
      const [next, produced] = this.#machine.step(this.#state, input)
      this.#state = next
      for (const output of produced) outputs.push(output)
    }
    return outputs
  }

  rest(): ReadonlyArray<Output> {
    if (this.#isOver) return []
    this.#isOver = true
    return this.#machine.halt(this.#state)
  }
}

/** Runs a machine over a whole list of inputs, end included. */
export const run = <State, Input, Output>(
  machine: Machine<State, Input, Output>,
  inputs: Iterable<Input>,
): ReadonlyArray<Output> => {
  const under = new MachineRun(machine)
  return [...under.take(inputs), ...under.rest()]
}
