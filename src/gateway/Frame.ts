/** The frame around a request of any endpoint: what it is answered with and from while it is under way, and what is told of it when it is over. */
import type { OpenRequest } from "../access/OpenRequests.ts"
import type { Audit } from "../audit/Audit.ts"
import type { AttemptRecord } from "../audit/record/AuditRecord.ts"
import type { RecordDraft, Unsent } from "../audit/record/RecordDraft.ts"
import type { AttemptSpan } from "../audit/record/RequestTrace.ts"
import type { AskedUpstream } from "../audit/record/SoFar.ts"
import type { Snapshot } from "../config/Snapshot.ts"
import { ShuttingDown } from "../errors/ServerErrors.ts"
import { hostOf, type Target } from "../routing/Upstream.ts"
import type { Secrets } from "../secrets/Secrets.ts"
import type { AccessLog } from "../telemetry/AccessLog.ts"
import type { FinishedRequests } from "../telemetry/FinishedRequests.ts"
import type { Metrics } from "../telemetry/metrics/Metrics.ts"
import type { Traces } from "../telemetry/otlp/Traces.ts"
import type { ActiveRequests } from "./ActiveRequests.ts"
import { noted, refusal } from "./Answers.ts"
import type { ClientAnswer, Ends, RequestFrame } from "./Exchange.ts"

/** Where what is known of a request goes. */
export interface Books {
  readonly accessLog: AccessLog["Type"]
  readonly active: ActiveRequests["Type"]
  readonly audit: Audit["Type"]
  readonly finished: FinishedRequests["Type"]
  readonly metrics: Metrics["Type"]
  readonly traces: Traces["Type"]
}

/** A request that was let in. */
export interface LetIn {
  readonly snapshot: Snapshot
  readonly draft: RecordDraft
  readonly opened: OpenRequest
  readonly secrets: Secrets
  /** Whose request it is. */
  readonly caller: string
}

/** One request: what it is answered with and from, and its end. */
export class Frame implements LetIn, RequestFrame, Ends {
  readonly snapshot: Snapshot
  readonly draft: RecordDraft
  readonly opened: OpenRequest
  readonly secrets: Secrets
  readonly caller: string
  /** Among those under way. */
  place = -1
  readonly #books: Books
  #passedOver: Map<string, number> | undefined

  constructor(books: Books, { caller, draft, opened, secrets, snapshot }: LetIn) {
    this.#books = books
    this.snapshot = snapshot
    this.draft = draft
    this.opened = opened
    this.secrets = secrets
    this.caller = caller
    books.metrics.opened(draft.endpoint)
    books.active.begin(this)
  }

  readonly hold = (bytes: number, borrows = false): boolean =>
    this.opened.hold(bytes, this.snapshot.server.maxBufferedBytes, borrows)

  readonly whenOver = (release: () => void): void => this.opened.whenOver(release)

  readonly onPassedOver = (upstream: string, events = 1): void => {
    this.#passedOver ??= new Map()
    this.#passedOver.set(upstream, (this.#passedOver.get(upstream) ?? 0) + events)
  }

  /** An upstream is asked. */
  readonly onAsking = (asked: AskedUpstream): AttemptSpan | undefined => this.draft.asking(asked)

  /** An upstream is not asked, though it stands in the plan: the request cannot be said to it. */
  readonly onPassedBy = ({ dialect, upstream }: Target, cause: string): void => {
    const passedBy = { upstream: upstream.name, dialect, cause }
    this.draft.passedBy(passedBy)
    this.#books.accessLog.passedBy(this.draft.id, passedBy)
  }

  /** An attempt is over; one that failed has its line in the log. */
  readonly onAttempt = (attempt: AttemptRecord, failed: boolean): void => {
    const { draft } = this
    draft.attempted(attempt, failed)
    if (!failed) return
    const upstream = this.snapshot.routes.byName.get(attempt.upstream)
    this.#books.accessLog.failedAttempt(draft.id, attempt, {
      number: draft.attempts.length,
      host: upstream === undefined ? undefined : hostOf(upstream.baseUrl),
    })
  }

  giveUp(when: string): () => ClientAnswer {
    const { draft } = this
    draft.givenUp(`cut ${when}`)
    return () => noted(refusal(new ShuttingDown({ retryAfterSeconds: 1, cut: when }), draft), draft)
  }

  close(unsent: Unsent | undefined): void {
    const { accessLog, active, audit, finished, metrics } = this.#books
    active.end(this)
    try {
      const record = this.draft.close(unsent)
      audit.record(record)
      for (const [upstream, events] of this.#passedOver ?? [])
        accessLog.passedOver(this.draft.id, upstream, events)
      accessLog.request(record, this.draft.code)
      finished.tell(record)
      metrics.closed(record, this.snapshot.metrics)
    } finally {
      metrics.ended(this.draft.endpoint)
      // Whatever befalls the books, its place is another's now.
      this.opened.end()
    }
  }
}

/** One that was not let in: all that is to be told of it is its record. */
export class TurnedAway implements Ends {
  readonly #books: Books
  readonly #draft: RecordDraft
  readonly #snapshot: Snapshot

  constructor(books: Books, draft: RecordDraft, snapshot: Snapshot) {
    this.#books = books
    this.#draft = draft
    this.#snapshot = snapshot
  }

  close(unsent: Unsent | undefined): void {
    const record = this.#draft.close(unsent)
    this.#books.audit.record(record)
    this.#books.accessLog.request(record, this.#draft.code)
    this.#books.finished.tell(record)
    this.#books.metrics.closed(record, this.#snapshot.metrics)
  }
}
