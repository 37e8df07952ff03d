/**
 * An answer handed on as its bytes come, no faster than the client reads. A status and bytes have gone by the time it breaks, and no error can be put into
 * sound: its connection is cut, so that no client takes it for whole.
 */
import * as Effect from "effect/Effect"
import { RelayedExcerpt } from "../answer/RelayedExcerpt.ts"
import { noUsage } from "../answer/Usage.ts"
import type { Ending } from "../audit/record/RecordDraft.ts"
import { bodyToClient } from "../operations/HeadersToClient.ts"
import { toldId, toldReason } from "../secrets/Told.ts"
import type { AnsweredBytes } from "../upstream/Answered.ts"
import type { ToldFailure } from "../upstream/policy/AttemptFailure.ts"
import { reasonOf } from "../upstream/policy/FailureWords.ts"
import type { ByteSink, ByteSource } from "../wire/ByteSource.ts"
import type { JsonObject } from "../wire/Json.ts"
import { parseObject } from "../wire/JsonBytes.ts"
import { headersOf } from "./Answers.ts"
import type { RecordedAnswer, RequestFrame } from "./Exchange.ts"
import type { Outlet, Relay } from "./Relay.ts"

/** How bytes ended: all are there, they broke off, or were left by the client. */
export type BytesEnd =
  | { readonly kind: "whole" }
  | { readonly kind: "broken"; readonly error: string }
  | { readonly kind: "left" }

interface BytesOptions<A> {
  readonly source: ByteSource<ToldFailure>
  readonly onBytes: (bytes: Uint8Array) => void
  /** Told once how it ended. */
  readonly onEnd: (end: BytesEnd) => A
}

/** Bytes on their way. Mutable on purpose: one source, one outlet. */
class BytesUnderWay<A> implements ByteSink<ToldFailure> {
  readonly #options: BytesOptions<A>
  readonly #outlet: Outlet
  readonly #done: (how: Effect.Effect<void>) => void
  #isFull = false
  ended: A | undefined

  constructor(options: BytesOptions<A>, outlet: Outlet, done: (how: Effect.Effect<void>) => void) {
    this.#options = options
    this.#outlet = outlet
    this.#done = done
  }

  readonly onBytes = (bytes: Uint8Array): void => {
    if (this.ended !== undefined) return
    this.#options.onBytes(bytes)
    if (this.#outlet.write(bytes) || this.#isFull) return
    this.#isFull = true
    this.#options.source.pause()
    this.#outlet.onDrain(() => {
      this.#isFull = false
      this.#options.source.resume()
    })
  }

  readonly onEnd = (failure: ToldFailure | undefined): void => {
    if (failure === undefined) this.#finish({ kind: "whole" }, Effect.void)
    else this.breakOff(`The upstream's answer broke off: it ${reasonOf(failure)}.`)
  }

  breakOff(error: string): void {
    // Whoever sends it leaves what was interrupted unfinished.
    this.#finish({ kind: "broken", error }, Effect.interrupt)
  }

  leave(): void {
    this.#finish({ kind: "left" }, Effect.void)
  }

  #finish(end: BytesEnd, how: Effect.Effect<void>): void {
    if (this.ended !== undefined) return
    this.#options.source.close()
    this.ended = this.#options.onEnd(end)
    this.#done(how)
  }
}

/** The relay of bytes. */
export const relayOf = <A>(options: BytesOptions<A>): Relay<A> => {
  let underWay: BytesUnderWay<A> | undefined
  let cutBefore: string | undefined
  return {
    run: (outlet) =>
      Effect.async<void>((resume) => {
        const begun = new BytesUnderWay(options, outlet, resume)
        underWay = begun
        if (cutBefore === undefined) options.source.attach(begun)
        else begun.breakOff(cutBefore)
        return Effect.sync(() => begun.leave())
      }),
    cut: ({ message }) => {
      if (underWay === undefined) cutBefore = message
      else underWay.breakOff(message)
    },
    ended: () => underWay?.ended,
  }
}

/** What vLLM says beside vectors that are bytes. */
const saidOf = ({ metadata }: AnsweredBytes["headers"]): JsonObject | undefined =>
  metadata === undefined ? undefined : parseObject(Buffer.from(metadata, "latin1"))

/** How a request ended with them. */
export const outcomes = { whole: "ok", broken: "stream_broken", left: "client_closed" } as const

/** The client's answer out of the upstream's bytes. */
export const relayedBytes = (
  answered: AnsweredBytes,
  { draft, secrets, snapshot }: RequestFrame,
): RecordedAnswer => {
  const { form, headers, plain, status } = answered
  const keepBytes = snapshot.audit.bodies === "full" ? snapshot.audit.maxBodyBytes : 0
  const excerpt = new RelayedExcerpt(plain.holds, keepBytes)
  const body = bodyToClient(form, headers, secrets)
  draft.begun()
  const endingOf = (end: BytesEnd): Ending => {
    const outcome = outcomes[end.kind]
    answered.ended(outcome)
    draft.streamed()
    const answer = form === "object" ? answered.answer() : form === "bytes" ? saidOf(headers) : undefined
    const facts = answer === undefined ? undefined : plain.read(answer)
    return {
      status,
      outcome,
      error: end.kind === "broken" ? end.error : undefined,
      usage: facts?.usage ?? noUsage,
      finishReason: toldReason(facts?.finishReason, secrets),
      toolCalls: facts?.toolCalls ?? false,
      responseId: toldId(facts?.responseId, secrets),
      serviceTier: toldId(facts?.serviceTier, secrets),
      answerBytes: excerpt.bytes,
      answerType: body["content-type"],
      response: { kind: "plain", bytes: excerpt.of(answer, body["content-type"] ?? "") },
    }
  }
  return {
    status,
    headers: Object.assign(headersOf(answered, draft, secrets), body),
    body: relayOf({
      source: answered.bytes,
      onBytes: (bytes) => excerpt.add(bytes),
      onEnd: endingOf,
    }),
  }
}
