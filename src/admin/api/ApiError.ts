/** Errors of the admin API, in the shape of all errors of this gateway: what is wrong and what to do. */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import { known, maybe } from "./Described.ts"

const Said = Schema.Struct({
  message: known(Schema.String, "What is wrong, and what to do"),
  type: known(Schema.String, "Its kind"),
  param: maybe(Schema.String, "The parameter it is about"),
  code: maybe(Schema.String, "Its name"),
})

const errorOf = (status: number, description: string) =>
  Schema.Struct({ error: Said }).annotations(HttpApiSchema.annotations({ status, description }))

export const BadQuestion = errorOf(400, "A parameter is none that can be used")
export const NotSignedIn = errorOf(401, "A key of admin.keys is asked for")
export const Forbidden = errorOf(403, "A page of somebody else asked, or no admin key is configured")
export const NotThere = errorOf(404, "There is no such request")
export const Busy = errorOf(503, "Too many questions at once, or the audit cannot be read")
