/** A plain answer that was judged, as its caller is given it: in the caller's dialect, and as a stream where one was asked for. */
import type { ChoiceTransform } from "../answer/ChoiceTransform.ts"
import type { StreamGrammar } from "../answer/StreamGrammar.ts"
import type { Usage } from "../answer/Usage.ts"
import type { ServedOperation } from "../operations/Operations.ts"
import { conversations } from "../operations/translation/Conversations.ts"
import {
  type TranslatedAnswer,
  translatedAnswer,
  unsaidBy,
} from "../operations/translation/TranslatedAnswer.ts"
import type { Translation } from "../operations/translation/Translation.ts"
import { eventsOf } from "../wire/EventSource.ts"
import type { JsonObject } from "../wire/Json.ts"
import { answerLimits, outlineOf, surelyReadable } from "../wire/JsonOutline.ts"
import { maxAnswerBytes } from "./PlainBody.ts"
import { AttemptFailure, noMemory, noTurn } from "./policy/AttemptFailure.ts"
import type { AskedForm, Read } from "./Reading.ts"

/** Mutable on purpose: one answer. */
export class GivingOut {
  readonly #status: number
  readonly #asked: AskedForm
  readonly #transform: () => ChoiceTransform
  readonly #tell: (read: Read) => void
  /** Leaves what is done aside for it. */
  #doWithout: (() => void) | undefined
  /** What its upstream reported, where that is given out otherwise: what is written for SDKs has zeros for what was not. */
  #counts: Usage | undefined

  /** @param transform what is to be done to its texts */
  constructor(
    status: number,
    asked: AskedForm,
    transform: () => ChoiceTransform,
    tell: (read: Read) => void,
  ) {
    this.#status = status
    this.#asked = asked
    this.#transform = transform
    this.#tell = tell
  }

  give(body: Uint8Array, answer: JsonObject): void {
    const { operation, translation } = this.#asked
    if (translation === undefined) this.#give(operation, body, answer)
    else this.#translate(translation, body)
  }

  asStream(
    grammar: StreamGrammar,
    body: Uint8Array,
    operation: ServedOperation = this.#asked.operation,
  ): void {
    if (body.length <= surelyReadable) {
      this.#giveChunks(grammar, grammar.givenOut(body, maxAnswerBytes) ?? [], false)
      return
    }
    const transform = this.#transform()
    const input = { operation: operation.name, bytes: body, transform, limitBytes: maxAnswerBytes }
    this.#doWithout = this.#asked.aside("chunks", input, (cut) => {
      if (cut === undefined) this.#fail(noTurn)
      else this.#giveChunks(grammar, cut.datas, true)
    })
  }

  /** Nobody waits for it any more. */
  leave(): void {
    this.#doWithout?.()
  }

  #give(operation: ServedOperation, body: Uint8Array, answer: JsonObject): void {
    if (this.#asked.stream && operation.stream !== undefined) {
      this.#counts ??= operation.plain.read(answer).usage
      this.asStream(operation.stream, body, operation)
    } else this.#tell({ kind: "plain", body, answer, counts: this.#counts })
  }

  #translate(translation: Translation, body: Uint8Array): void {
    const { aside, beganAt, requestId } = this.#asked
    const unsaid = unsaidBy(requestId, beganAt)
    const give = (translated: TranslatedAnswer | undefined, outline: JsonObject | undefined): void => {
      if (translated === undefined || outline === undefined) {
        this.#fail(
          AttemptFailure.Unusable({ reason: `answered with what cannot be told in ${translation.to}` }),
        )
      } else if (!this.#mayTake(translated.body.length - body.length)) {
        this.#fail(noMemory)
      } else {
        this.#counts = translated.counts
        this.#give(conversations[translation.to], translated.body, outline)
      }
    }
    if (body.length <= surelyReadable) {
      const translated = translatedAnswer(translation, unsaid, body)
      give(translated, translated === undefined ? undefined : outlineOf(translated.body, answerLimits))
      return
    }
    this.#doWithout = aside("translate", { translation, unsaid, bytes: body }, (done) => {
      if (done === undefined) this.#fail(noTurn)
      else give(done.translated, done.outline)
    })
  }

  /** A response says again what was asked: instructions and tools. */
  #mayTake(longer: number): boolean {
    return longer <= 0 || this.#asked.hold(longer)
  }

  #giveChunks(grammar: StreamGrammar, datas: ReadonlyArray<Uint8Array>, isTransformed: boolean): void {
    if (datas.length === 0) {
      this.#fail(
        AttemptFailure.Unusable({
          reason: `answered ${this.#status} with JSON of which no stream can be made`,
        }),
      )
    } else if (!this.#asked.hold(datas.reduce((sum, { length }) => sum + length, 0))) this.#fail(noMemory)
    else {
      const counts = this.#counts
      this.#tell({ kind: "chunks", grammar, events: eventsOf(datas), isTransformed, counts })
    }
  }

  #fail(failure: AttemptFailure): void {
    this.#tell({ kind: "failed", failure })
  }
}
