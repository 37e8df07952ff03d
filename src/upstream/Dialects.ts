/**
 * Which conversation dialects upstreams were found to lack whose dialects nobody configured. Of one process, and of one configuration: an entry that is
 * loaded anew is asked anew.
 *
 * A wrong lesson would keep requests away from an upstream that is well, as where a proxy says 404 for a server that is starting. So none is
 * believed of a dialect that was spoken before, each is forgotten after a while, and whom nobody else can replace is asked all the same. What may
 * be a proxy's, and that nearly nobody lacks `chat`, is soon forgotten.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { saidError } from "../errors/SaidError.ts"
import type { ServedOperation } from "../operations/Operations.ts"
import { type Dialect, dialectFor } from "../routing/Dialect.ts"
import type { Target, Upstream } from "../routing/Upstream.ts"
import type { AttemptFailure, Refused } from "./policy/AttemptFailure.ts"
import { speaksOfPath } from "./policy/MissingPath.ts"

/** How long a lesson is heeded that an API gave. */
export const heededForMs = 3_600_000

/** And one that is doubtful: a page or a bare word, which may come from a proxy, or anything about `chat`. */
export const heededBrieflyForMs = 60_000

const heededFor = (dialect: Dialect, { body }: Pick<Refused, "body">): number =>
  dialect === "chat" || saidError(body) === undefined ? heededBrieflyForMs : heededForMs

/** The dialect of which an operation teaches: that of conversations themselves. What counts or fetches them may be lacking by itself. */
export const taughtBy = ({
  dialect,
  stream,
}: Pick<ServedOperation, "dialect" | "stream">): Dialect | undefined =>
  stream === undefined ? undefined : dialect

type Speaker = Pick<Upstream, "dialects" | "dialectsAssumed">

/** A dialect that an upstream was found to lack. */
export interface LackingDialect {
  readonly dialect: Dialect
  /** With which it said so. */
  readonly status: number
  /** Until when it is taken to be lacking, in epoch milliseconds. */
  readonly until: number
}

/** What is known of an upstream's dialects. */
interface Known {
  readonly spoken: Set<Dialect>
  readonly lacking: Map<Dialect, LackingDialect>
}

type Asked = Pick<ServedOperation, "dialect" | "mayLack" | "stream">

/** Mutable on purpose: a memory, of as many upstreams as there are and three dialects. */
export class KnownDialects {
  readonly #known = new WeakMap<Speaker, Known>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Those it speaks, as far as is known. */
  spokenBy(upstream: Speaker): ReadonlyArray<Dialect> {
    const lacking = this.#known.get(upstream)?.lacking
    if (lacking === undefined || lacking.size === 0) return upstream.dialects
    const now = this.#now()
    return upstream.dialects.filter((dialect) => (lacking.get(dialect)?.until ?? 0) <= now)
  }

  /** Those it is taken to lack at the moment, by what it answered. */
  lackedBy(upstream: Speaker): ReadonlyArray<LackingDialect> {
    const now = this.#now()
    return [...(this.#known.get(upstream)?.lacking.values() ?? [])].filter(({ until }) => until > now)
  }

  /** It has answered in a dialect. */
  heard(upstream: Speaker, dialect: Dialect | undefined): void {
    if (dialect === undefined || !upstream.dialectsAssumed) return
    const { lacking, spoken } = this.#of(upstream)
    if (spoken.has(dialect)) return
    spoken.add(dialect)
    lacking.delete(dialect)
  }

  /** Whether a failure says that it lacks the dialect of an operation, where nobody said that it speaks it, or an endpoint that it may lack. */
  isLack(upstream: Speaker, operation: Asked, failure: AttemptFailure): boolean {
    return (
      failure._tag === "Refused" &&
      failure.inAnswer === undefined &&
      (operation.mayLack === true || this.#mayLearn(upstream, taughtBy(operation))) &&
      speaksOfPath(failure.status, failure.body)
    )
  }

  #mayLearn(upstream: Speaker, dialect: Dialect | undefined): boolean {
    return (
      dialect !== undefined &&
      upstream.dialectsAssumed &&
      this.#known.get(upstream)?.spoken.has(dialect) !== true
    )
  }

  /** It lacks a dialect, as it said itself; whether that is news. */
  lacks(upstream: Speaker, dialect: Dialect, said: Pick<Refused, "body" | "status">): boolean {
    const { lacking } = this.#of(upstream)
    const now = this.#now()
    const isNews = (lacking.get(dialect)?.until ?? 0) <= now
    lacking.set(dialect, { dialect, status: said.status, until: now + heededFor(dialect, said) })
    return isNews
  }

  #of(upstream: Speaker): Known {
    const known = this.#known.get(upstream)
    if (known !== undefined) return known
    const made: Known = { spoken: new Set(), lacking: new Map() }
    this.#known.set(upstream, made)
    return made
  }
}

/** The target as it is asked: in the caller's dialect where it speaks that, else in the one that it prefers. */
export const askedIn = (dialect: Dialect, target: Target, known: KnownDialects): Target => {
  const its = dialectFor(dialect, known.spokenBy(target.upstream))
  return its === undefined || its === dialect ? target : { ...target, dialect: its }
}

export class Dialects extends Context.Tag("sluice/Dialects")<Dialects, KnownDialects>() {}

export const layer: Layer.Layer<Dialects> = Layer.effect(
  Dialects,
  Effect.map(Effect.clock, (clock) => new KnownDialects(() => clock.unsafeCurrentTimeMillis())),
)
