/**
 * Reading on when a request was refused: many clients read nothing before they have sent all, and a connection that is closed while they are sending is reset, so that
 * they never see why.
 */
import type { IncomingMessage } from "node:http"
import * as Effect from "effect/Effect"

/** How much and how long a refused client may go on sending, and how long it may pause. */
interface Bounds {
  readonly bytes: number
  readonly ms: number
  readonly silenceMs: number
}

const ofClient: Bounds = { bytes: 256 * 1024 * 1024, ms: 30_000, silenceMs: 2_000 }
const ofStranger: Bounds = { bytes: 64 * 1024, ms: 1_000, silenceMs: 1_000 }
/** What came with the head is read. */
const ofCrowd: Bounds = { bytes: 64 * 1024, ms: 1, silenceMs: 1 }

/** Strangers that are waited for at once. */
const mostStrangers = 64

const discardWithin = (message: IncomingMessage, { bytes, ms, silenceMs }: Bounds): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (message.complete || message.destroyed) {
      resume(Effect.void)
      return
    }
    let left = bytes
    const done = () => {
      clearTimeout(whole)
      clearTimeout(silence)
      message.off("data", onData)
      resume(Effect.void)
    }
    const onData = (chunk: Uint8Array) => {
      left -= chunk.length
      silence.refresh()
      if (left < 0) done()
    }
    const whole = setTimeout(done, ms)
    const silence = setTimeout(done, silenceMs)
    message.on("data", onData)
    message.once("end", done)
    message.once("close", done)
    message.resume()
    return Effect.sync(done)
  })

/**
 * Throws away what a refused client is still sending, until it stops, or for as long and as much as lingering allows. Its connection is to be closed then,
 * where the body is not `complete`.
 */
export type Linger = (message: IncomingMessage) => Effect.Effect<void>

export const lingerForClient: Linger = (message) => discardWithin(message, ofClient)

/** For strangers, of whom only some are waited for at all. */
export const makeLingerForStranger = (): Linger => {
  let waiting = 0
  return (message) =>
    Effect.suspend(() => {
      const bounds = waiting < mostStrangers ? ofStranger : ofCrowd
      waiting += 1
      return Effect.ensuring(
        discardWithin(message, bounds),
        Effect.sync(() => {
          waiting -= 1
        }),
      )
    })
}
