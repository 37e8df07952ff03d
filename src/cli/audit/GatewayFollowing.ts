/** The requests of a running gateway as they finish: its live events, again and again where they end. */
import * as Chunk from "effect/Chunk"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { LiveEnd, MissedRequests } from "../../admin/api/RequestPages.ts"
import { RequestRow } from "../../admin/api/RequestRow.ts"
import { rowFrom } from "../../admin/RowTold.ts"
import { paramsOf } from "../../admin/TextQuery.ts"
import type { AuditFilter } from "../../audit/read/AuditFilter.ts"
import type { Row } from "../../audit/read/FoundRow.ts"
import { MachineRun } from "../../wire/Machine.ts"
import { decoder, isOverflow, type SseEvent } from "../../wire/Sse.ts"
import { CliFailure } from "../CliFailure.ts"
import type { Rows } from "./AuditReader.ts"
import { type AwayForNow, askForEvents, type RunningGateway } from "./GatewayQuestions.ts"

/** A row without bodies is some KB. */
const maxEventBytes = 1024 * 1024

/** Some comment comes every ten seconds: a connection without any is dead. */
const silence = "30 seconds"

const pause = "1 second"

const text = new TextDecoder()

const read = <A, I>(schema: Schema.Schema<A, I>) => {
  const decode = Schema.decodeUnknownEither(Schema.parseJson(schema))
  return ({ data }: SseEvent) => Either.getOrUndefined(decode(text.decode(data)))
}

const rowIn = read(RequestRow)
const missedIn = read(MissedRequests)
const endIn = read(LiveEnd)

type Heard =
  | { readonly kind: "ready" }
  | { readonly kind: "row"; readonly row: Row }
  | { readonly kind: "missed"; readonly note: string }

const someLeftOut = (many: string) => `${many} left out here; "sluice audit list" has them`

const heardIn = (event: SseEvent): ReadonlyArray<Heard> => {
  switch (event.event) {
    case "ready":
      return [{ kind: "ready" }]
    case "request": {
      const row = rowIn(event)
      return row === undefined ? [] : [{ kind: "row", row: rowFrom(row) }]
    }
    case "missed":
      return [{ kind: "missed", note: someLeftOut(`${missedIn(event)?.missed ?? "some"} requests are`) }]
    case "end":
      return endIn(event)?.reason === "slow"
        ? [{ kind: "missed", note: someLeftOut("this reader is too slow: some requests are") }]
        : []
    default:
      return []
  }
}

/** One connection's events, until it ends. */
const events = (
  gateway: RunningGateway,
  filter: AuditFilter,
): Stream.Stream<Heard, AwayForNow | CliFailure> =>
  Stream.suspend(() => {
    const run = new MachineRun(decoder({ maxEventBytes }))
    return askForEvents(gateway, "/requests/live", paramsOf(filter)).pipe(
      Stream.timeout(silence),
      Stream.mapConcatChunk((bytes) =>
        Chunk.fromIterable(run.take([bytes]).flatMap((said) => (isOverflow(said) ? [] : heardIn(said)))),
      ),
    )
  })

/** What was told before is told once: a row is in the list and among the events where it finished between. */
const nameOf = ({ id, started_at }: Row): string => `${started_at} ${id}`

/** The last rows as `newest` has them, the oldest first, once all processes are watched; then each as it finishes. */
export const followGateway = (gateway: RunningGateway, filter: AuditFilter, newest: Rows): Rows => {
  const known = new Set<string>()
  let isFirst = true
  const beginning: Rows = Stream.unwrap(
    Effect.map(Stream.runCollect(newest), (rows) => {
      for (const row of rows) known.add(nameOf(row))
      return Stream.fromChunk(Chunk.reverse(rows))
    }),
  )
  const told = (heard: Heard): Rows => {
    switch (heard.kind) {
      case "row":
        return known.delete(nameOf(heard.row)) ? Stream.empty : Stream.succeed(heard.row)
      case "missed":
        return Stream.drain(Stream.fromEffect(Console.error(heard.note)))
      case "ready": {
        const wasFirst = isFirst
        isFirst = false
        return wasFirst
          ? beginning
          : Stream.drain(
              Stream.fromEffect(Console.error(someLeftOut("it is there again; what finished meanwhile is"))),
            )
      }
    }
  }
  const connection: Rows = events(gateway, filter).pipe(
    Stream.flatMap(told),
    Stream.catchTag("AwayForNow", (away) =>
      isFirst ? Stream.fail(new CliFailure({ exitCode: 1, message: away.message })) : Stream.empty,
    ),
  )
  return Stream.forever(Stream.concat(connection, Stream.drain(Stream.fromEffect(Effect.sleep(pause)))))
}
