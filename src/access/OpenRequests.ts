/** The requests under way: how many there are, how much memory and disk their bodies hold together, and how much of it each caller has. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isWithinShare } from "./CallerShare.ts"

/** Who takes up the room that there is not: everybody together, or the caller with what it has under way already. */
export type TakenBy = "all" | "caller"

/** One request under way. */
export interface OpenRequest {
  /**
   * Claims memory for bytes of a body until the request ends; false where the bodies of all requests would hold more than `limitBytes`, or the caller's
   * more than its share of it.
   *
   * @param borrows only until it is given back
   */
  readonly hold: (bytes: number, limitBytes: number, borrows?: boolean) => boolean
  /** Claims disk for bytes of a body, as `hold` claims memory; given back when the request ends. */
  readonly claim: (bytes: number, limitBytes: number) => boolean
  /** Gives back what was borrowed: what a body was read to is let go of. */
  readonly giveBack: () => void
  /** Who has the memory that was claimed in vain. */
  readonly memoryTakenBy: TakenBy
  /** Who has the disk that was claimed in vain. */
  readonly diskTakenBy: TakenBy
  /** Gives back the memory and the disk that were claimed so far. */
  readonly letGo: () => void
  /** Notes what is to be given back when it ends, should it not have been by then. */
  readonly whenOver: (release: () => void) => void
  readonly end: () => void
}

export class OpenRequests extends Context.Tag("sluice/OpenRequests")<
  OpenRequests,
  {
    /**
     * Takes a request on, unless there are `most`, or the caller has its share of them.
     *
     * @param caller tells one caller from another
     */
    readonly begin: (caller: string, most: number) => OpenRequest | TakenBy
    readonly count: () => number
    /** Bytes. */
    readonly held: () => number
    /** Completes when none is under way. */
    readonly allEnded: Effect.Effect<void>
  }
>() {}

/** What somebody has under way. */
interface Use {
  requests: number
  /** Of memory, and of disk. */
  bytes: number
  disk: number
}

/** So many are remembered without looking who has gone. */
const fewCallers = 1_024

class Room {
  readonly all: Use = { requests: 0, bytes: 0, disk: 0 }
  /** Of those that have anything, and of some that had: a `Map` whose entries come and go is made anew all the time (see `gateway/Roster.ts`). */
  readonly #byCaller = new Map<string, Use>()
  #mostKnown = fewCallers
  readonly #none: Effect.Latch

  constructor(none: Effect.Latch) {
    this.#none = none
  }

  begin(caller: string, most: number): OpenRequest | TakenBy {
    const { all } = this
    if (all.requests >= most) return "all"
    let own = this.#byCaller.get(caller)
    // The place that is asked for counts as free: of few places, one is a large part.
    if (own !== undefined && !isWithinShare(own.requests + 1, most - all.requests)) return "caller"
    if (own === undefined) {
      if (this.#byCaller.size >= this.#mostKnown) this.#forget()
      own = { requests: 0, bytes: 0, disk: 0 }
      this.#byCaller.set(caller, own)
    }
    own.requests += 1
    all.requests += 1
    this.#none.unsafeClose()
    return new RequestInRoom(this, own)
  }

  /** Those that have nothing any more. Not again until as many others came, so that it costs each of them little. */
  #forget(): void {
    for (const [caller, { requests }] of this.#byCaller) if (requests === 0) this.#byCaller.delete(caller)
    this.#mostKnown = Math.max(fewCallers, 2 * this.#byCaller.size)
  }

  end(own: Use): void {
    own.requests -= 1
    this.all.requests -= 1
    if (this.all.requests === 0) this.#none.unsafeOpen()
  }
}

/** One object for a request, whatever it claims. */
class RequestInRoom implements OpenRequest {
  readonly #room: Room
  readonly #ofCaller: Use
  #bytes = 0
  /** Of these. */
  #borrowed = 0
  #disk = 0
  #releases: Array<() => void> | undefined
  memoryTakenBy: TakenBy = "all"
  diskTakenBy: TakenBy = "all"

  constructor(room: Room, ofCaller: Use) {
    this.#room = room
    this.#ofCaller = ofCaller
  }

  hold(bytes: number, limitBytes: number, borrows = false): boolean {
    const { all } = this.#room
    const free = limitBytes - all.bytes - bytes
    if (free < 0 || !isWithinShare(this.#ofCaller.bytes + bytes, free)) {
      this.memoryTakenBy = free < 0 ? "all" : "caller"
      return false
    }
    all.bytes += bytes
    this.#ofCaller.bytes += bytes
    this.#bytes += bytes
    if (borrows) this.#borrowed += bytes
    return true
  }

  claim(bytes: number, limitBytes: number): boolean {
    const { all } = this.#room
    const free = limitBytes - all.disk - bytes
    if (free < 0 || !isWithinShare(this.#ofCaller.disk + bytes, free)) {
      this.diskTakenBy = free < 0 ? "all" : "caller"
      return false
    }
    all.disk += bytes
    this.#ofCaller.disk += bytes
    this.#disk += bytes
    return true
  }

  giveBack(): void {
    this.#release(this.#borrowed)
  }

  letGo(): void {
    this.#release(this.#bytes)
    this.#room.all.disk -= this.#disk
    this.#ofCaller.disk -= this.#disk
    this.#disk = 0
  }

  #release(bytes: number): void {
    this.#room.all.bytes -= bytes
    this.#ofCaller.bytes -= bytes
    this.#bytes -= bytes
    this.#borrowed = 0
  }

  whenOver(release: () => void): void {
    this.#releases ??= []
    this.#releases.push(release)
  }

  end(): void {
    const releases = this.#releases ?? []
    this.#releases = undefined
    // First what cannot fail, whatever the others do.
    this.letGo()
    this.#room.end(this.#ofCaller)
    for (const release of releases) release()
  }
}

export const layer: Layer.Layer<OpenRequests> = Layer.effect(
  OpenRequests,
  Effect.map(Effect.makeLatch(true), (none) => {
    const room = new Room(none)
    return OpenRequests.of({
      begin: (caller, most) => room.begin(caller, most),
      count: () => room.all.requests,
      held: () => room.all.bytes,
      allEnded: none.await,
    })
  }),
)
