/**
 * The body of a good answer that is handed on as it comes, until its first bytes have shown what it is. Decided in the socket's own events, and told
 * once.
 */
import { RelayedAnswer, type RelayedStart } from "../answer/RelayedAnswer.ts"
import type { HandedOn } from "../operations/Operation.ts"
import type { ServedOperation } from "../operations/Operations.ts"
import type { AnswerHead } from "./calls/UpstreamCall.ts"
import { AttemptFailure, type ToldFailure } from "./policy/AttemptFailure.ts"
import { type BodyReading, type ReadingListener, refusedIn, saidNothing } from "./Reading.ts"

/** Mutable on purpose: one answer, one socket. */
export class RelayedReading implements BodyReading {
  readonly #head: AnswerHead
  readonly #operation: ServedOperation
  readonly #plain: HandedOn
  readonly #listener: ReadingListener
  readonly #answer: RelayedAnswer
  #hasBegun = false
  #isOver = false

  constructor(head: AnswerHead, operation: ServedOperation, plain: HandedOn, listener: ReadingListener) {
    this.#head = head
    this.#operation = operation
    this.#plain = plain
    this.#listener = listener
    this.#answer = new RelayedAnswer(plain, head.headers["content-type"] ?? "")
  }

  bytes(bytes: Uint8Array): void {
    if (this.#isOver) return
    if (!this.#hasBegun) {
      this.#hasBegun = true
      this.#listener.onBegun()
    }
    const start = this.#answer.take(bytes)
    if (start !== undefined) this.#tell(start, false)
  }

  end(failure: ToldFailure | undefined): void {
    if (failure === undefined) this.#tell(this.#answer.end(), true)
    else this.#fail(failure)
  }

  close(): void {
    this.#isOver = true
  }

  #tell(start: RelayedStart, isWhole: boolean): void {
    switch (start.kind) {
      case "begins":
        if (this.#isOver) return
        this.close()
        this.#listener.onRead(this.#head, {
          kind: "relayed",
          plain: this.#plain,
          form: start.form,
          answer: this.#answer,
          isWhole,
        })
        return
      case "error":
        this.#fail(refusedIn(start.error, Buffer.concat(this.#answer.taken()), this.#operation))
        return
      case "silent":
        this.#fail(saidNothing(this.#head.status, this.#plain))
        return
      case "other":
        this.#fail(
          AttemptFailure.Unusable({
            reason: `answered ${this.#head.status} with ${start.is} where ${contents[this.#plain.holds]} was to come`,
          }),
        )
        return
    }
  }

  #fail(failure: AttemptFailure): void {
    if (this.#isOver) return
    this.close()
    this.#listener.onRead(this.#head, { kind: "failed", failure })
  }
}

const contents = { json: "a JSON object", text: "a text", sound: "sound", bytes: "bytes" } as const
