/** A question to the admin API, as the server hands it over once it knows that it may be answered. */
import * as Context from "effect/Context"
import type { Snapshot } from "../config/Snapshot.ts"
import type { ClientCall } from "../gateway/Exchange.ts"
import type { ReceivedHeaders } from "../wire/Headers.ts"
import type { Doors } from "./Access.ts"

export interface AdminQuestion {
  readonly call: ClientCall
  readonly method: string
  /** Path and query, the path as it was compared. */
  readonly target: string
  readonly body: Uint8Array
  readonly isOwnPort: boolean
}

/** How the handlers are told on which port it was asked: a name that no request can bring along. */
export const ownPortHeader = "x-sluice-own-port"

/** What decides on a question that a handler answers. */
export const doorsOf = (
  { adminKeys, server: { accessKeys, origins } }: Snapshot,
  headers: ReceivedHeaders,
): Doors => ({ accessKeys, adminKeys, origins, isOwnPort: headers[ownPortHeader] !== undefined })

/** Whether the gateway is about to end, so that what is live has to. */
export class Leaving extends Context.Tag("sluice/Leaving")<Leaving, () => boolean>() {}

/** The port that callers ask. */
export class CallersPort extends Context.Tag("sluice/CallersPort")<CallersPort, number>() {}
