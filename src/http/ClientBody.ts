/**
 * Reads a request's body within the limit. Node's stream is read directly: the platform's reader joins per chunk, which is
 * quadratic, and resets the connection on overflow, so that no client ever sees the 413.
 */
import type { IncomingMessage } from "node:http"
import * as Either from "effect/Either"
import type { GatewayError } from "../errors/GatewayError.ts"
import { RequestTooLarge, RequestUnreadable, TooManyValues } from "../errors/RequestErrors.ts"
import { noMemory } from "../errors/ServerErrors.ts"
import type { ReadBody, WantedBody } from "../gateway/Exchange.ts"
import type { Intake } from "../wire/Intake.ts"
import { copies, JsonCost, surelyCheapBytes } from "../wire/JsonCost.ts"
import { Pieces } from "../wire/Pieces.ts"
import { codingsOf, unpacking } from "./PackedBody.ts"
import { takesTurn } from "./TurnBudget.ts"

/** Keeps a body in memory, as it is to be read. */
const inMemory = (
  said: number,
  isPacked: boolean,
  { hold, limit }: WantedBody,
  done: (body: ReadBody) => void,
): Intake => {
  const pieces = new Pieces(said)
  // Node gives no more than was said.
  const cost = isPacked || said === 0 || said > surelyCheapBytes ? new JsonCost() : undefined
  let size = 0
  const fail = (error: GatewayError) => done(Either.left(error))
  return {
    write: (chunk) => {
      size += chunk.length
      if (size > limit.limitBytes) fail(new RequestTooLarge(limit))
      else if (!hold(chunk.length)) fail(noMemory)
      else {
        pieces.add(chunk)
        cost?.feed(chunk)
        if (cost?.isTooMuch) fail(new TooManyValues())
      }
      return true
    },
    onDrain: (go) => go(),
    end: () => {
      if (cost !== undefined && (cost.isLong || !takesTurn(cost.millis)))
        done(Either.right({ pieces: pieces.shared() }))
      else if (hold((cost?.held ?? copies * size) - size, true)) done(Either.right(pieces.whole()))
      else fail(noMemory)
    },
    close: () => {},
  }
}

/** Gives the whole body, unpacked, or why there is none, once; asks for it first, where the client waits for that. On failure the rest of the body is left unread: see `Lingering.ts`. What it returns ends it early. */
export const read = (
  message: IncomingMessage,
  wanted: WantedBody,
  askFor: () => void,
  done: (body: ReadBody) => void,
): ((error: GatewayError) => void) => {
  const { limit } = wanted
  const codings = codingsOf(message.headers["content-encoding"])
  if (Either.isLeft(codings)) {
    done(Either.left(codings.left))
    return () => {}
  }
  const said = Number(message.headers["content-length"] ?? 0)
  if (said > limit.limitBytes) {
    done(Either.left(new RequestTooLarge(limit)))
    return () => {}
  }
  const isPacked = codings.right.length > 0
  let received = 0
  let isOver = false
  const end = (body: ReadBody) => {
    if (isOver) return
    isOver = true
    if (Either.isLeft(body)) message.pause()
    message.off("data", onData)
    message.off("end", onEnd)
    message.off("error", onBreak)
    message.off("close", onBreak)
    // A body that breaks later has no reader left to tell.
    message.on("error", () => {})
    intake.close()
    done(body)
  }
  const fail = (error: GatewayError) => end(Either.left(error))
  const kept = wanted.form?.(end) ?? inMemory(isPacked ? 0 : said, isPacked, wanted, end)
  const intake = isPacked ? unpacking(codings.right, kept, limit, fail) : kept
  const onData = (chunk: Uint8Array) => {
    received += chunk.length
    // What unpacks to less is no smaller on its way.
    if (received > limit.limitBytes) fail(new RequestTooLarge(limit))
    else if (!intake.write(chunk)) {
      message.pause()
      intake.onDrain(() => message.resume())
    }
  }
  const onEnd = () => {
    // What is whole may still have to be unpacked when its connection goes.
    message.off("close", onBreak)
    intake.end()
  }
  const onBreak = () =>
    end(Either.left(new RequestUnreadable({ reason: "the connection ended before the body did" })))
  if (message.headers.expect !== undefined) askFor()
  message.on("data", onData)
  message.once("end", onEnd)
  message.once("error", onBreak)
  message.once("close", onBreak)
  return fail
}
