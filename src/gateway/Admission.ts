/** Takes requests on: who may come in is given a frame, with the one snapshot that serves it; who may not is answered why. */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { keyCount } from "../access/AccessKey.ts"
import { clientAddress } from "../access/ClientAddress.ts"
import { acceptedKey, clientKeys, deniedWith } from "../access/Credential.ts"
import type { OpenRequests } from "../access/OpenRequests.ts"
import type { Strangers } from "../access/Strangers.ts"
import { RecordDraft } from "../audit/record/RecordDraft.ts"
import type { CurrentConfig } from "../config/CurrentConfig.ts"
import type { Snapshot } from "../config/Snapshot.ts"
import type { AccessDenied } from "../errors/AccessErrors.ts"
import { answerOf, codeOf, type GatewayError } from "../errors/GatewayError.ts"
import { LoopDetected } from "../errors/UpstreamErrors.ts"
import { hopsOf, mostHops } from "../operations/Hops.ts"
import { operationCalled } from "../operations/Operations.ts"
import { sessionOf } from "../operations/Session.ts"
import type { TracedEndpoint } from "../telemetry/otlp/Traces.ts"
import { networkOf } from "../wire/Address.ts"
import { recorded, roomless } from "./Answers.ts"
import type { ClientCall, RecordedAnswer, RequestFrame, Served, Unserved } from "./Exchange.ts"
import { type Books, Frame, TurnedAway } from "./Frame.ts"

/** What is asked about a request, and told of it. */
export interface Door extends Books {
  readonly clock: Clock.Clock
  readonly current: CurrentConfig["Type"]
  readonly openRequests: OpenRequests["Type"]
  readonly strangers: Strangers["Type"]
}

/** What is kept of the headers of a stranger, who may send as many and as long ones as it likes. */
const headersOfStranger = ({
  "content-type": type,
  host,
  "user-agent": agent,
}: ClientCall["headers"]): ClientCall["headers"] => ({ host, "content-type": type, "user-agent": agent })

const nanosPerMilli = 1_000_000

const clientIpOf = (snapshot: Snapshot, call: ClientCall): string =>
  clientAddress(snapshot.server.trustProxy, call.remoteAddress, call.headers)

/** What a record says of the endpoint that was asked. */
interface AskedEndpoint extends TracedEndpoint {
  readonly name: string
  readonly dialect: string | undefined
}

/** An endpoint that sends nothing to read. */
const endpointCalled = (name: string): AskedEndpoint => ({
  method: "GET",
  paths: [`/${name}`],
  ...operationCalled(name),
  name,
  dialect: undefined,
})

/** Answered with an error, whatever it sends. */
export const answeredWith = (
  error: GatewayError,
  draft: RecordDraft,
  { ends, isStranger }: Pick<Served, "ends" | "isStranger">,
): Served => ({
  wanted: undefined,
  answer: () => recorded(Effect.fail(error), draft),
  isStranger,
  deadline: undefined,
  ends,
})

export class Admission {
  readonly #door: Door

  constructor(door: Door) {
    this.#door = door
  }

  /** Takes a request on; one that is not let in is served already, with why. */
  open(endpoint: AskedEndpoint, call: ClientCall): Frame | Served {
    const { audit, current, openRequests } = this.#door
    const snapshot = current.snapshot()
    const { server } = snapshot
    const sent = clientKeys(call.headers, call.face)
    const key = acceptedKey(server.accessKeys, sent)
    const denied = key === undefined ? deniedWith(server.accessKeys, sent) : undefined
    if (denied !== undefined) return this.#stranger(endpoint, call, snapshot, sent[0], denied)
    const fingerprint = key === undefined ? undefined : audit.fingerprint(key)
    const draft = this.#draft(snapshot, endpoint, call, call.headers, fingerprint)
    const hops = hopsOf(call.headers)
    if (hops >= mostHops) return this.#turnedAway(new LoopDetected({ hops }), draft, snapshot)
    const hasKeys = keyCount(server.accessKeys) > 0
    // Keys are anybody's to invent where none is asked for.
    const caller = hasKeys && fingerprint !== undefined ? fingerprint : networkOf(draft.clientIp)
    const opened = openRequests.begin(caller, server.maxInFlight)
    if (typeof opened === "string") return this.#turnedAway(roomless("requests", opened), draft, snapshot)
    const secrets = key === undefined || hasKeys ? snapshot.secrets : snapshot.secrets.and(key)
    return new Frame(this.#door, { snapshot, draft, opened, secrets, caller })
  }

  /** One of a caller who may come in, that takes no place all the same. */
  #turnedAway(error: GatewayError, draft: RecordDraft, snapshot: Snapshot): Served {
    return answeredWith(error, draft, {
      ends: new TurnedAway(this.#door, draft, snapshot),
      isStranger: false,
    })
  }

  /** The frame around a request that sends nothing to read. */
  serve(
    endpointName: string,
    call: ClientCall,
    answer: (frame: RequestFrame) => Effect.Effect<RecordedAnswer, GatewayError>,
  ): Served {
    const frame = this.open(endpointCalled(endpointName), call)
    if (!(frame instanceof Frame)) return frame
    const { draft, opened, snapshot } = frame
    const afterMs = snapshot.server.requestTimeoutMs
    return {
      wanted: undefined,
      answer: () =>
        recorded(
          Effect.suspend(() => answer(frame)),
          draft,
          opened,
        ),
      isStranger: false,
      deadline: { at: draft.startedAt + afterMs, afterMs, setBy: "configuration" },
      ends: frame,
    }
  }

  /** A request of nothing that is served. */
  unserved(asked: Unserved, call: ClientCall, error: GatewayError): Served {
    const { accessLog, current, strangers } = this.#door
    const answer = answerOf(error, call)
    const close = (): void =>
      accessLog.unserved({
        id: call.id,
        client_ip: clientIpOf(current.snapshot(), call),
        ...asked,
        status: answer.status,
        code: codeOf(error),
      })
    return {
      wanted: undefined,
      answer: () => Effect.succeed(answer),
      isStranger: true,
      deadline: undefined,
      ends: strangers.isNoted() ? { close } : undefined,
    }
  }

  /** What who has no key is answered: it takes no place, and leaves its record as long as there are not too many of them. */
  #stranger(
    endpoint: AskedEndpoint,
    call: ClientCall,
    snapshot: Snapshot,
    key: Redacted.Redacted<string> | undefined,
    denied: AccessDenied,
  ): Served {
    const { audit, strangers } = this.#door
    if (!strangers.isNoted()) {
      const answer = () => Effect.succeed(answerOf(denied, call))
      return { wanted: undefined, answer, isStranger: true, deadline: undefined, ends: undefined }
    }
    const fingerprint = key === undefined ? undefined : audit.fingerprint(key)
    const draft = this.#draft(snapshot, endpoint, call, headersOfStranger(call.headers), fingerprint)
    return answeredWith(denied, draft, {
      ends: new TurnedAway(this.#door, draft, snapshot),
      isStranger: true,
    })
  }

  /** Names of conversations are the client's own: a record has no more of them than of keys. */
  #conversation(headers: ClientCall["headers"]): string | undefined {
    const session = sessionOf(headers)
    return session === undefined
      ? undefined
      : this.#door.audit.fingerprint(Redacted.make(`conversation ${session}`))
  }

  #draft(
    snapshot: Snapshot,
    endpoint: AskedEndpoint,
    call: ClientCall,
    headers: ClientCall["headers"],
    keyFingerprint: string | undefined,
  ): RecordDraft {
    const { clock, traces } = this.#door
    const { dialect, name } = endpoint
    const started = clock.unsafeCurrentTimeNanos()
    return new RecordDraft({
      id: call.id,
      face: call.face,
      startedAt: clock.unsafeCurrentTimeMillis(),
      clientIp: clientIpOf(snapshot, call),
      endpoint: name,
      dialect,
      conversation: this.#conversation(headers),
      configHash: snapshot.hash,
      headers,
      keyFingerprint,
      policy: snapshot.audit,
      trace: traces.begin(endpoint, headers),
      elapsedMs: () => Number(clock.unsafeCurrentTimeNanos() - started) / nanosPerMilli,
    })
  }
}
