/** The admin API as data: its paths, what they take and what they give. The server, its OpenAPI document and `sluice audit --gateway` all follow from it. */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { version } from "../../version.ts"
import { ActiveReport } from "./ActiveReport.ts"
import { BadQuestion, Busy, Forbidden, NotSignedIn, NotThere } from "./ApiError.ts"
import { ConfigReport } from "./ConfigReport.ts"
import { ConnectReport } from "./ConnectReport.ts"
import { known } from "./Described.ts"
import { RequestPage, RequestStories } from "./RequestPages.ts"
import { ActiveQuery, exactly, LiveQuery, RequestQuery, UsageQuery } from "./RequestQuery.ts"
import { UpstreamReport } from "./UpstreamReport.ts"
import { UsageReport } from "./UsageReport.ts"

export const apiRoot = "/admin/api"

const says = (description: string) => OpenApi.annotations({ description })

/** What is wrong with it is said without repeating it: it may be a key all the same. */
const SignIn = Schema.Struct({ key: known(Schema.String, "One of admin.keys") }).annotations({
  message: () => ({ message: 'expected {"key": "…"}', override: true }),
})

/** How an operator signs in and out with a browser. */
const session = HttpApiGroup.make("session")
  .add(
    HttpApiEndpoint.post("signIn", "/session")
      .setPayload(SignIn)
      .addSuccess(HttpApiSchema.NoContent)
      .annotateContext(
        says("Sets a cookie that stands for the key, for browsers. Programs send the key itself."),
      ),
  )
  .add(
    HttpApiEndpoint.del("signOut", "/session")
      .addSuccess(HttpApiSchema.NoContent)
      .annotateContext(says("Takes the cookie back.")),
  )
  .add(
    HttpApiEndpoint.get("session", "/session")
      .addSuccess(
        Schema.Struct({
          asks_keys: known(Schema.Boolean, "A key is asked for"),
          signed_in: known(Schema.Boolean, "This request may see everything else"),
        }),
      )
      .annotateContext(says("Whether this browser is signed in. It is the one question that needs no key.")),
  )
  .annotateContext(says("Signing in."))

const requests = HttpApiGroup.make("requests")
  .add(
    HttpApiEndpoint.get("list", "/requests")
      .setUrlParams(RequestQuery)
      .addSuccess(RequestPage)
      .addError(Busy)
      .annotateContext(says("Requests that have finished, the newest first, page by page.")),
  )
  .add(
    HttpApiEndpoint.get("active", "/requests/active")
      .setUrlParams(ActiveQuery)
      .addSuccess(ActiveReport)
      .annotateContext(
        says("Requests under way in all processes, the oldest first: whom each waits for, and since when."),
      ),
  )
  .add(
    HttpApiEndpoint.get("live", "/requests/live")
      .setUrlParams(LiveQuery)
      .addSuccess(HttpApiSchema.Text({ contentType: "text/event-stream" }))
      .addError(Busy)
      .annotateContext(
        says(
          "Server-sent events: `ready` once all processes are watched; `request` (a RequestRow) for each request that finishes, refused ones too; `missed` ({missed}) where some were left out; `end` ({reason}) before the connection is closed.",
        ),
      ),
  )
  .add(
    HttpApiEndpoint.get("show", "/requests/:id")
      .setPath(
        Schema.Struct({
          id: known(Schema.String, "Its x-request-id, or the first or last characters of it"),
        }),
      )
      .addSuccess(RequestStories)
      .addError(Busy)
      .annotateContext(says("All that is kept of one request, with headers and bodies.")),
  )
  .annotateContext(says("Requests: under way, as they finish, and past."))

const overview = HttpApiGroup.make("overview")
  .add(
    HttpApiEndpoint.get("usage", "/usage")
      .setUrlParams(UsageQuery)
      .addSuccess(UsageReport)
      .addError(Busy)
      .annotateContext(
        says("Requests, errors, tokens and durations by group; the last 24 hours where no time is said."),
      ),
  )
  .add(
    HttpApiEndpoint.get("upstreams", "/upstreams")
      .addSuccess(UpstreamReport)
      .annotateContext(
        says("Each client of the configuration: how it is, and what became of its last attempts."),
      ),
  )
  .add(
    HttpApiEndpoint.get("explain", "/explain")
      .setUrlParams(
        Schema.Struct({
          model: Schema.optional(Schema.String).annotations({
            description: "The model a caller would ask for",
          }),
          endpoint: Schema.optional(Schema.String).annotations({
            description: "The endpoint, such as responses, embeddings or a path",
          }),
          prompt: Schema.optional(Schema.String).annotations({
            description: "What the conversation begins with: under `deterministic` it decides the order",
          }),
        }).annotations(exactly),
      )
      .addSuccess(Schema.Unknown)
      .annotateContext(
        says("Where a request for a model goes, and why: what `sluice explain --json --running` prints."),
      ),
  )
  .add(
    HttpApiEndpoint.get("config", "/config")
      .addSuccess(ConfigReport)
      .annotateContext(says("The configuration in force, without its secrets.")),
  )
  .add(
    HttpApiEndpoint.get("connect", "/connect")
      .addSuccess(ConnectReport)
      .annotateContext(says("What a caller's program needs to be set up.")),
  )
  .add(
    HttpApiEndpoint.get("health", "/health")
      .addSuccess(Schema.Unknown)
      .annotateContext(says("What /health?verbose says.")),
  )
  .annotateContext(says("The gateway as a whole."))

export const AdminApi = HttpApi.make("sluice")
  .add(session)
  .add(requests)
  .add(overview)
  .addError(NotSignedIn)
  .addError(Forbidden)
  .addError(BadQuestion)
  .addError(NotThere)
  .prefix(apiRoot)
  .annotateContext(
    OpenApi.annotations({
      title: "Sluice: the operator's API",
      version,
      description:
        "Reads what a running gateway knows. Everything but signing in is read-only. Programs send one of `admin.keys` as `Authorization: Bearer …` or `x-api-key`.",
    }),
  )
