/** An operation that takes a form with a sound or an image, and is answered as one that takes JSON is. */
import type { Either } from "effect/Either"
import type { InvalidRequest } from "../../errors/RequestErrors.ts"
import { type JsonRelay, jsonRelay } from "../JsonRelay.ts"
import { invalid } from "../JsonRequest.ts"
import type { Operation } from "../Operation.ts"
import { formReader, type ModelOfForm } from "./FormRequest.ts"

interface FormRelay<Name extends string> extends Omit<JsonRelay<Name>, "modelWhereAbsent"> {
  /** Without it each form must name its model. */
  readonly modelOfForm?: ModelOfForm
}

/** How what is no form is answered. */
export const noForm = (): Either<never, InvalidRequest> =>
  invalid(
    null,
    "This endpoint takes a form with a file in it (content-type multipart/form-data), and the request's content-type is another.",
  )

export const formRelay = <Name extends string>({
  modelOfForm,
  ...relay
}: FormRelay<Name>): Operation<Name> => ({
  ...jsonRelay(relay),
  decode: noForm,
  form: formReader(modelOfForm),
})
