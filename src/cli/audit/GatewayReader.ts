/** The audit of a running gateway, through its admin API: the same rows and numbers as its files have. */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { RequestPage, RequestStories } from "../../admin/api/RequestPages.ts"
import { mostRows, mostWholeRows } from "../../admin/api/RequestQuery.ts"
import { UsageReport } from "../../admin/api/UsageReport.ts"
import { rowFrom } from "../../admin/RowTold.ts"
import { paramsOf } from "../../admin/TextQuery.ts"
import { statsReportOf } from "../../admin/UsageTold.ts"
import type { AuditFilter } from "../../audit/read/AuditFilter.ts"
import type { Row } from "../../audit/read/FoundRow.ts"
import type { AuditReader, Rows } from "./AuditReader.ts"
import { followGateway } from "./GatewayFollowing.ts"
import { ask, goesRound, type Params, type RunningGateway } from "./GatewayQuestions.ts"

/** From the first instant on, where nothing is said: the gateway would take the last day. */
const fromTheFirst = (filter: AuditFilter): AuditFilter => ({ ...filter, since: filter.since ?? 0 })

/** The audit of the gateway. */
export const gatewayReader = (gateway: RunningGateway): AuditReader => {
  const leftOut = new Set<string>()
  const noteLeftOut = (messages: ReadonlyArray<string>) => {
    for (const message of messages) leftOut.add(message)
  }
  const pages = (params: Params): Rows =>
    Stream.paginateChunkEffect(Option.none<string>(), (cursor) =>
      Effect.gen(function* () {
        const before = Option.getOrUndefined(cursor)
        const page = yield* ask(gateway, "/requests", { ...params, cursor: before }, RequestPage)
        if (page.next !== null && page.next === before) return yield* goesRound(gateway)
        noteLeftOut(page.left_out)
        const rows: Chunk.Chunk<Row> = Chunk.fromIterable(page.rows.map(rowFrom))
        return [rows, Option.map(Option.fromNullable(page.next), Option.some)] as const
      }),
    )
  const list = (filter: AuditFilter, limit: number) =>
    Stream.take(pages({ ...paramsOf(filter), limit: String(Math.min(limit, mostRows)) }), limit)
  return {
    leftOut: () => [...leftOut].map((message) => ({ message })),
    list,
    called: (id) =>
      Effect.map(ask(gateway, `/requests/${encodeURIComponent(id)}`, {}, RequestStories), ({ requests }) => ({
        rows: requests.map(rowFrom),
        similar: [],
      })),
    // What GPT_API wrote is no request of the API's.
    inherited: Effect.succeed(0),
    report: (filter, by) =>
      Effect.map(
        ask(gateway, "/usage", { ...paramsOf(fromTheFirst(filter)), by }, UsageReport),
        ({ left_out, now }) => {
          noteLeftOut(left_out)
          return statsReportOf(now)
        },
      ),
    export: (filter) =>
      pages({ ...paramsOf(filter), whole: "true", order: "oldest", limit: String(mostWholeRows) }),
    follow: (filter, count) => followGateway(gateway, filter, list(filter, count)),
  }
}
