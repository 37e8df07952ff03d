/** The one way from a machine to a `Stream`: everything a machine is composed of stays pure, and only the whole is lifted. */
import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import * as Stream from "effect/Stream"
import type { Machine } from "./Machine.ts"

/**
 * Runs a machine over a stream, a chunk of outputs for each chunk of inputs and none where a chunk gives nothing. What the machine
 * holds back is flushed when the stream ends; when it fails, the failure passes and what was held back is dropped.
 *
 * (`Stream.mapAccum` has no flush at the end.)
 */
export const lift =
  <State, In, Out>(machine: Machine<State, In, Out>) =>
  <E, R>(stream: Stream.Stream<In, E, R>): Stream.Stream<Out, E, R> => {
    type Reader = Channel.Channel<Chunk.Chunk<Out>, Chunk.Chunk<In>, E, E, unknown, unknown>

    const reader = (state: State): Reader =>
      Channel.readWithCause({
        onInput: (inputs: Chunk.Chunk<In>) => {
          const outputs: Array<Out> = []
          let current = state
          for (const input of inputs) {
            const [next, produced] = machine.step(current, input)
            current = next
            for (const output of produced) outputs.push(output)
          }
          return outputs.length === 0 ? reader(current) : written(outputs, reader(current))
        },
        onFailure: Channel.failCause,
        onDone: () => {
          const outputs = machine.halt(state)
          return outputs.length === 0 ? Channel.void : Channel.write(Chunk.fromIterable(outputs))
        },
      })

    const written = (outputs: Array<Out>, next: Reader): Reader =>
      Channel.flatMap(Channel.write(Chunk.unsafeFromArray(outputs)), () => next)

    return Stream.pipeThroughChannel(stream, reader(machine.initial))
  }
