/**
 * The connections of a server: how many there may be, whose go first where there are too many, and one timer for all of them that ends those whose
 * clients neither take nor send anything.
 *
 * Where few places are left, those go that nobody uses, strangers' first and of these the oldest (as nginx does with its reusable connections), so that who
 * may ask gets in however many only stand there.
 */
import type { ServerResponse } from "node:http"
import type { Socket } from "node:net"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import { networkOf } from "../wire/Address.ts"
import { Connection } from "./Connection.ts"
import { filesAllowed, mostConnections } from "./FileLimit.ts"
import type { Look } from "./UnderWay.ts"

/** What is told of them. */
export interface ConnectionsStatus {
  readonly open: number
  /** Closed unused, to make room. */
  readonly displaced: number
  /** Not taken, for there was no room. */
  readonly refused: number
}

export interface ConnectionLimits {
  /** In all. */
  readonly most: number
  /** Of one address; 0 is no limit. */
  readonly mostPerAddress: number
}

/** One in so many places is made free at once, so that they are looked through seldom. */
const roomPart = 16

/** When too few could be made free, it is not tried again for so long. */
const vainMs = 20

/** Strangers first, and then who was silent longest. */
const byWorth = (a: Connection, b: Connection): number =>
  a.isKnown === b.isKnown ? a.usedAt - b.usedAt : a.isKnown ? 1 : -1

export class ConnectionTable {
  readonly #all = new Map<Socket, Connection>()
  readonly #byNetwork = new Map<string, number>()
  readonly #limits: () => ConnectionLimits
  readonly #now: () => number
  #vainUntil = Number.NEGATIVE_INFINITY
  #displaced = 0
  #refused = 0

  constructor(limits: () => ConnectionLimits, now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  get status(): ConnectionsStatus {
    return { open: this.#all.size, displaced: this.#displaced, refused: this.#refused }
  }

  of(socket: Socket): Connection | undefined {
    return this.#all.get(socket)
  }

  all(): Iterable<Connection> {
    return this.#all.values()
  }

  /** The last byte of an answer is out. */
  sent(response: ServerResponse): void {
    const { socket } = response.req
    // Node says so as well of what was thrown away with its connection.
    if (socket.destroyed) return
    this.#vainUntil = Number.NEGATIVE_INFINITY
    this.#all.get(socket)?.sent(response)
  }

  /** Ends those whose clients take nothing, or whose time is over. */
  look(look: Look): void {
    for (const connection of this.#all.values()) connection.look(look)
  }

  /** Requests under way. */
  get requests(): number {
    let count = 0
    for (const connection of this.#all.values()) count += connection.requests
    return count
  }

  /** A connection was made; whether it may stay. Forgotten by itself when it closes. */
  add(socket: Socket): boolean {
    const { most, mostPerAddress } = this.#limits()
    const network = networkOf(socket.remoteAddress ?? "")
    const ofNetwork = this.#byNetwork.get(network) ?? 0
    const isOneTooMany = mostPerAddress > 0 && ofNetwork >= mostPerAddress
    if (!isOneTooMany && this.#all.size >= most - Math.floor(most / roomPart)) this.#makeRoom(most)
    if (isOneTooMany || this.#all.size >= most) {
      this.refused()
      return false
    }
    const connection = new Connection(socket, network, this.#now())
    this.#all.set(socket, connection)
    this.#byNetwork.set(network, ofNetwork + 1)
    socket.once("close", () => this.#gone(connection))
    return true
  }

  /** One was not taken. */
  refused(): void {
    this.#refused += 1
  }

  #gone(connection: Connection): void {
    const { network, socket } = connection
    if (!this.#all.delete(socket)) return
    const others = (this.#byNetwork.get(network) ?? 1) - 1
    if (others === 0) this.#byNetwork.delete(network)
    else this.#byNetwork.set(network, others)
    connection.gone()
  }

  /** Strangers' places are made free before all are taken, those of others when they are. */
  #makeRoom(most: number): void {
    const now = this.#now()
    if (now < this.#vainUntil) return
    const isFull = this.#all.size >= most
    const wanted = Math.max(1, Math.floor(most / roomPart))
    const reusable = [...this.#all.values()].filter((one) => one.isReusable && (isFull || !one.isKnown))
    for (const connection of reusable.sort(byWorth).slice(0, wanted)) {
      this.#displaced += 1
      connection.socket.destroy()
      // Its place is free now, and not when its end is heard of.
      this.#gone(connection)
    }
    if (reusable.length < wanted && (isFull || reusable.length === 0)) this.#vainUntil = now + vainMs
  }
}

export class Connections extends Context.Tag("sluice/Connections")<Connections, ConnectionTable>() {}

/** Bounded by the configuration in force, and by the files that the process may open. */
export const layer: Layer.Layer<Connections, never, CurrentConfig> = Layer.effect(
  Connections,
  Effect.gen(function* () {
    const { snapshot } = yield* CurrentConfig
    const clock = yield* Effect.clock
    const files = yield* filesAllowed
    const bound = files === undefined ? Number.POSITIVE_INFINITY : mostConnections(files)
    const { maxConnections } = snapshot().server
    if (bound < maxConnections) {
      yield* Effect.logWarning(
        `this process may open ${files} files, so it takes ${bound} connections at most, not the ${maxConnections} of server.max_connections; raise the limit (ulimit -n, LimitNOFILE)`,
      )
    }
    return new ConnectionTable(
      () => {
        const { maxConnections, maxConnectionsPerAddress } = snapshot().server
        return { most: Math.min(bound, maxConnections), mostPerAddress: maxConnectionsPerAddress }
      },
      () => clock.unsafeCurrentTimeMillis(),
    )
  }),
)
