/** Requests: those under way, those of the audit page by page, and one request's whole story. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { AuditReading, type NotRead } from "../audit/read/AuditReading.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import { Fleet } from "../processes/Fleet.ts"
import { visitorOf } from "./Access.ts"
import { activeReport } from "./ActiveTold.ts"
import { activeQuestion } from "./ActiveWatch.ts"
import { doorsOf, Leaving } from "./AdminQuestion.ts"
import { AdminApi } from "./api/AdminApi.ts"
import { badQuestion, busy, notThere } from "./api/ApiError.ts"
import { mostWholeRows, pageBudget, type RequestQuery, usualRows } from "./api/RequestQuery.ts"
import { liveAnswer } from "./LiveAnswer.ts"
import { LiveRequests, mostWatchers } from "./LiveRequests.ts"
import { rowTold, storyTold } from "./RowTold.ts"
import { cursorIn, cursorOf, filterIn, type WrongParam } from "./TextQuery.ts"

export const refused = ({ message, param }: WrongParam) => badQuestion(param, message)

export const unread = ({ message, reason }: NotRead) =>
  busy(reason === "busy" ? "audit_busy" : "audit_unreadable", message)

const tooManyWatch = busy(
  "live_busy",
  `${mostWatchers} others are watching already; close some, or ask for pages of requests`,
)

const pageAsked = (query: RequestQuery, now: number) =>
  Effect.gen(function* () {
    const whole = query.whole === "true"
    const limit = query.limit ?? usualRows
    return {
      filter: yield* filterIn(query, now),
      order: query.order ?? "newest",
      whole,
      after: yield* cursorIn(query.cursor),
      limit: whole ? Math.min(limit, mostWholeRows) : limit,
      budgetMs: query.within_ms ?? pageBudget.most,
    } as const
  }).pipe(Effect.mapError(refused))

export const requestHandlers = HttpApiBuilder.group(AdminApi, "requests", (handlers) =>
  Effect.gen(function* () {
    const reading = yield* AuditReading
    const live = yield* LiveRequests
    const fleet = yield* Fleet
    const { snapshot } = yield* CurrentConfig
    const isLeaving = yield* Leaving
    const clock = yield* Effect.clock
    return handlers
      .handle("list", ({ urlParams }) =>
        Effect.gen(function* () {
          const asked = yield* pageAsked(urlParams, yield* Clock.currentTimeMillis)
          const { answer, leftOut } = yield* Effect.mapError(reading.page(asked), unread)
          return {
            rows: answer.rows.map(asked.whole ? storyTold : rowTold),
            next: answer.next === undefined ? null : cursorOf(answer.next),
            searched_to: answer.searchedTo ?? null,
            left_out: leftOut,
          }
        }),
      )
      .handle("active", ({ urlParams }) => Effect.map(fleet.ask(activeQuestion, urlParams), activeReport))
      .handle("live", ({ request, urlParams }) =>
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const filter = yield* Effect.mapError(filterIn(urlParams, now), refused)
          if (!live.hasRoom()) return yield* Effect.fail(tooManyWatch)
          return liveAnswer(live, filter, () =>
            isLeaving()
              ? "leaving"
              : visitorOf(
                    doorsOf(snapshot(), request.headers),
                    request.headers,
                    clock.unsafeCurrentTimeMillis(),
                  ) === "operator"
                ? undefined
                : "signed_out",
          )
        }),
      )
      .handle("show", ({ path: { id } }) =>
        Effect.gen(function* () {
          const { answer } = yield* Effect.mapError(reading.show(id), unread)
          if (answer.rows.length > 0) return { requests: answer.rows.map(storyTold) }
          return yield* Effect.fail(
            notThere(
              "request_not_found",
              answer.similar.length === 0
                ? "there is no request of this id; it may be written down in a moment, or its month may be deleted"
                : `more than one request begins or ends so: ${answer.similar.join(", ")}`,
            ),
          )
        }),
      )
  }),
)
