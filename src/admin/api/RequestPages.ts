/** Pages of requests, and requests as they finish. */
import * as Schema from "effect/Schema"
import { known, maybe } from "./Described.ts"
import { RequestRow, RequestStory } from "./RequestRow.ts"

export const RequestPage = Schema.Struct({
  rows: known(
    Schema.Array(Schema.Union(RequestStory, RequestRow)),
    "RequestStory where `whole` was asked for",
  ),
  next: maybe(Schema.String, "The cursor of the next page; null where there is none"),
  searched_to: maybe(
    Schema.String,
    "Set where the time for looking through the audit was over before the page was full: so far back it was looked through, and `next` goes on from there",
  ),
  left_out: known(Schema.Array(Schema.String), "Archives that cannot be read, and why"),
}).annotations({ identifier: "RequestPage" })

export interface RequestPage extends Schema.Schema.Type<typeof RequestPage> {}

/** All requests of one id, which is one but where callers chose the same. */
export const RequestStories = Schema.Struct({
  requests: known(
    Schema.Array(RequestStory),
    "The newest first; more than one where callers chose the same id",
  ),
}).annotations({ identifier: "RequestStories" })

export interface RequestStories extends Schema.Schema.Type<typeof RequestStories> {}

/**
 * What `GET /admin/api/requests/live` sends, an event of server-sent events each:
 *
 * - `ready`: all processes are watched from here on. What finished before is in the pages, half a second later at most.
 * - `request`: a request has finished; data is a `RequestRow`.
 * - `missed`: this reader was too slow, or too many finished at once; data is `MissedRequests`.
 * - `end`: nothing follows, and why; data is `LiveEnd`. Connect again.
 *
 * A comment is sent every few seconds where nothing happens.
 */
export const MissedRequests = Schema.Struct({
  missed: known(Schema.Number, "How many requests were left out here; the pages have them"),
}).annotations({ identifier: "MissedRequests" })

export const LiveEnd = Schema.Struct({
  reason: known(Schema.Literal("leaving", "slow", "signed_out"), "Why nothing follows"),
}).annotations({ identifier: "LiveEnd" })
