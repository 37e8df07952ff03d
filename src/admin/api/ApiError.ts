/** Errors of the admin API, in the shape of all errors of this gateway: what is wrong and what to do. `code` tells them apart. */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import { known, maybe } from "./Described.ts"

const errorOf = <const Code extends string>(
  { codes, status }: { readonly status: number; readonly codes: readonly [Code, ...ReadonlyArray<Code>] },
  description: string,
) =>
  Schema.Struct({
    error: Schema.Struct({
      message: known(Schema.String, "What is wrong, and what to do"),
      type: known(Schema.String, "Its kind"),
      param: maybe(Schema.String, "The parameter it is about"),
      code: known(Schema.Literal(...codes), "Its name"),
    }),
  }).annotations(HttpApiSchema.annotations({ status, description }))

export const BadQuestion = errorOf(
  { status: 400, codes: ["invalid_parameter"] },
  "A parameter is none that can be used",
)
export const NotSignedIn = errorOf(
  { status: 401, codes: ["invalid_admin_key"] },
  "One of admin.keys is asked for",
)
export const Forbidden = errorOf(
  { status: 403, codes: ["no_admin_key", "origin_not_allowed", "host_not_allowed"] },
  "No admin key is configured, or a page of another site asks",
)
export const NotThere = errorOf(
  { status: 404, codes: ["request_not_found", "unknown_path"] },
  "There is no such thing",
)
export const Busy = errorOf(
  { status: 503, codes: ["audit_busy", "audit_unreadable", "live_busy"] },
  "Too many questions at once, or the audit cannot be read",
)

export const badQuestion = (param: string, message: string): Schema.Schema.Type<typeof BadQuestion> => ({
  error: { message, type: "invalid_request_error", param, code: "invalid_parameter" },
})

export const notThere = (
  code: "request_not_found" | "unknown_path",
  message: string,
): Schema.Schema.Type<typeof NotThere> => ({
  error: { message, type: "invalid_request_error", param: null, code },
})

export const busy = (
  code: "audit_busy" | "audit_unreadable" | "live_busy",
  message: string,
): Schema.Schema.Type<typeof Busy> => ({ error: { message, type: "server_error", param: null, code } })

export const notSignedIn = (message: string): Schema.Schema.Type<typeof NotSignedIn> => ({
  error: { message, type: "invalid_request_error", param: null, code: "invalid_admin_key" },
})
