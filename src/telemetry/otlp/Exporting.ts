/** The way from what is to be exported to the program that does it, which is loaded only here. */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Secrets } from "../../secrets/Secrets.ts"
import { told } from "../../secrets/Told.ts"
import { version } from "../../version.ts"
import type { ExportTarget, Origin, Send } from "./Export.ts"
import type { OtlpSettings, OtlpTarget } from "./OtlpSettings.ts"

/** This process among several: each exports its own. */
const instance = randomUUID()

/** The resource that all of it is said of. What the environment says of it wins. */
export const originOf = ({ generation, resource }: OtlpSettings): Origin => ({
  resource: {
    "service.name": "sluice",
    "service.version": version,
    "service.instance.id": instance,
    ...resource,
  },
  scope: {
    name: "sluice",
    version,
    // Those of today stand at no address yet that names their version.
    ...(generation === "stable" ? { schemaUrl: "https://opentelemetry.io/schemas/1.36.0" } : {}),
  },
})

/** What may be told of a collector's words: it was sent a key, and may send it back. */
const toldOf = (failure: string | undefined, secrets: Secrets): string | undefined =>
  failure === undefined ? undefined : told(failure, secrets)

/** The values of headers, and their parts: of `Bearer …` it is the second that is the key. */
const secretsIn = (headers: Readonly<Record<string, string>>): Secrets =>
  new Secrets(Object.values(headers).flatMap((value) => [value, ...value.split(/\s+/)]))

/** Where something is sent, for people: without a password, and with the mistake that is made there most often. */
const placeOf = (url: string): string => {
  const { host, pathname, port } = new URL(url)
  return `${host}${pathname}${port === "4317" ? "; port 4317 speaks gRPC, 4318 HTTP" : ""}`
}

type Program = typeof import("./Export.ts")

/** Sends by the program, whose failures are told and are nobody's else. */
export const sending = <A>(
  pick: (program: Program) => (target: ExportTarget, origin: Origin) => Send<A>,
  { headers, protocol, timeoutMs, url }: OtlpTarget,
  origin: Origin,
): Effect.Effect<(items: ReadonlyArray<A>) => Effect.Effect<string | undefined>> =>
  Effect.map(
    Effect.promise(() => import("./Export.ts")),
    (program) => {
      const sent = Redacted.value(headers)
      const secrets = secretsIn(sent)
      const to = placeOf(url)
      const send = pick(program)({ url, headers: sent, timeoutMs, protocol }, origin)
      return (items) =>
        Effect.clockWith((clock) => Effect.promise(() => send(items, clock.unsafeCurrentTimeMillis()))).pipe(
          Effect.map((failure) => toldOf(failure, secrets)),
          Effect.catchAllCause(() => Effect.succeed("the exporter failed")),
          Effect.map((failure) => (failure === undefined ? undefined : `${failure} (${to})`)),
        )
    },
  )
