/**
 * Which conversation dialects upstreams were found to lack whose dialects nobody configured. Of one process, and of one configuration: an entry that is
 * loaded anew is asked anew.
 *
 * A wrong lesson would keep requests away from an upstream that is well, as where a proxy says 404 for a server that is starting. So none is
 * believed of a dialect that was spoken before, each is forgotten after a while, and whom nobody else can replace is asked all the same.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ServedOperation } from "../operations/Operations.ts"
import type { Dialect } from "../routing/Dialect.ts"
import type { Upstream } from "../routing/Upstream.ts"
import type { AttemptFailure } from "./policy/AttemptFailure.ts"
import { speaksOfPath } from "./policy/MissingPath.ts"

/** How long a lesson is heeded. */
export const heededForMs = 3_600_000

/** The dialect of which an operation teaches: that of conversations themselves. What counts or fetches them may be lacking by itself. */
export const taughtBy = ({
  dialect,
  stream,
}: Pick<ServedOperation, "dialect" | "stream">): Dialect | undefined =>
  stream === undefined ? undefined : dialect

type Speaker = Pick<Upstream, "dialects" | "dialectsAssumed">

/** What is known of an upstream's dialects. */
interface Known {
  readonly spoken: Set<Dialect>
  /** Until when each is taken to be lacking, in epoch milliseconds. */
  readonly lacking: Map<Dialect, number>
}

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
    return upstream.dialects.filter((dialect) => (lacking.get(dialect) ?? 0) <= now)
  }

  /** It has answered in a dialect. */
  heard(upstream: Speaker, dialect: Dialect | undefined): void {
    if (dialect === undefined || !upstream.dialectsAssumed) return
    const { lacking, spoken } = this.#of(upstream)
    if (spoken.has(dialect)) return
    spoken.add(dialect)
    lacking.delete(dialect)
  }

  /** Whether a failure says that it lacks a dialect. */
  isLack(upstream: Speaker, dialect: Dialect | undefined, failure: AttemptFailure): dialect is Dialect {
    return (
      dialect !== undefined &&
      upstream.dialectsAssumed &&
      failure._tag === "Refused" &&
      failure.inAnswer === undefined &&
      this.#known.get(upstream)?.spoken.has(dialect) !== true &&
      speaksOfPath(failure.status, failure.body)
    )
  }

  /** It lacks a dialect; whether that is news. */
  lacks(upstream: Speaker, dialect: Dialect): boolean {
    const { lacking } = this.#of(upstream)
    const now = this.#now()
    const isNews = (lacking.get(dialect) ?? 0) <= now
    lacking.set(dialect, now + heededForMs)
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

export class Dialects extends Context.Tag("sluice/Dialects")<Dialects, KnownDialects>() {}

export const layer: Layer.Layer<Dialects> = Layer.effect(
  Dialects,
  Effect.map(Effect.clock, (clock) => new KnownDialects(() => clock.unsafeCurrentTimeMillis())),
)
