/** The requests that a server has under way, by their connections, and how they are cut when its time is over. */
import type { Socket } from "node:net"
import { type Listed, Roster } from "../Roster.ts"

/** One request. */
export interface UnderWay extends Listed {
  readonly socket: Socket
  /** Its body is still being read. */
  readonly isHalfBegun: () => boolean
  /** Ends it, and tells its client, where that can be told. */
  readonly cut: (when: string) => void
}

/** All of them. */
export class RequestsUnderWay {
  readonly #roster = new Roster<UnderWay>()

  get count(): number {
    return this.#roster.size
  }

  add(one: UnderWay): void {
    this.#roster.add(one)
  }

  delete(one: UnderWay): void {
    this.#roster.delete(one)
  }

  /** The connections that have one. */
  get sockets(): ReadonlySet<Socket> {
    return new Set(this.#roster.all.map(({ socket }) => socket))
  }

  /** @param which all, or those alone that have not begun in earnest */
  cut(which: "all" | "half-begun", when: string): void {
    for (const one of this.#roster.all) if (which === "all" || one.isHalfBegun()) one.cut(when)
  }
}
