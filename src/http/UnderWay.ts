/** The requests that a server has under way, by their connections, and how they are cut when its time is over. */
import type { Socket } from "node:net"

/** One request. */
export interface UnderWay {
  readonly socket: Socket
  /** Its body is still being read. */
  readonly isHalfBegun: boolean
  /** Ends it, and tells its client, where that can be told. */
  readonly cut: (when: string) => void
}

/** All of them. */
export class RequestsUnderWay {
  readonly #all = new Set<UnderWay>()

  get count(): number {
    return this.#all.size
  }

  add(one: UnderWay): void {
    this.#all.add(one)
  }

  delete(one: UnderWay): void {
    this.#all.delete(one)
  }

  /** The connections that have one. */
  get sockets(): ReadonlySet<Socket> {
    return new Set([...this.#all].map(({ socket }) => socket))
  }

  /** @param which all, or those alone that have not begun in earnest */
  cut(which: "all" | "half-begun", when: string): void {
    for (const one of [...this.#all]) if (which === "all" || one.isHalfBegun) one.cut(when)
  }
}
