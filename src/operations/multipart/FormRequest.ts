/** A request whose body is a form with a sound or an image: its model is read, and whether its answer streams; no more is changed than the model's name, and `extra_body` added. */
import * as Either from "effect/Either"
import type { InvalidRequest } from "../../errors/RequestErrors.ts"
import { isJsonArray, type Json } from "../../wire/Json.ts"
import type { StoredBytes } from "../../wire/StoredBytes.ts"
import { nothingAdded } from "../Additions.ts"
import { invalid, invalidFor, longestModel } from "../JsonRequest.ts"
import type { AskedRequest, FormReader, Prepared, Recipient, RequestFacts } from "../Operation.ts"
import { plainFacts } from "../PlainFacts.ts"
import { type Form, type FormPart, isFile } from "./Form.ts"
import { editedForm } from "./FormEdits.ts"
import { decidingFields, flag } from "./FormFields.ts"

/** What anything is decided by. */
const decided = ["model", "stream"] as const

/** Fields that are never filled in: only the client says them, or they are files. */
const own: ReadonlySet<string> = new Set(["model", "stream", "file", "image", "image[]", "mask"])

/** The model of a form that names none, by the names of its parts. */
export type ModelOfForm = (says: (name: string) => boolean) => string

const saidIn =
  ({ parts }: Form) =>
  (name: string): boolean =>
    parts.some((part) => part.name === name)

interface FormRequest {
  readonly form: Form
  readonly modelPart: FormPart | undefined
  /** What the form names, or an upstream takes it to mean. */
  readonly named: string | undefined
  readonly facts: RequestFacts
}

/** A value as fields say it: a list as one field for each of it. */
const fieldsOf = (name: string, value: Json): ReadonlyArray<readonly [string, string]> =>
  isJsonArray(value) ? value.map((one) => [name, textOf(one)]) : value === null ? [] : [[name, textOf(value)]]

const textOf = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value))

/** The members of `extra_body` that the form leaves unsaid, as fields. */
const fillsOf = ({ parts }: Form, extraBody: Recipient["upstream"]["extraBody"]) => {
  const said = new Set(parts.map(({ name }) => name))
  return Object.entries(extraBody).flatMap(([name, value]) =>
    own.has(name) || said.has(name) || said.has(`${name}[]`) ? [] : fieldsOf(name, value),
  )
}

const prepared = (
  { form, modelPart, named }: FormRequest,
  { upstream, upstreamModel }: Recipient,
): Prepared<StoredBytes> => {
  const isSaid = named === upstreamModel
  const changed = modelPart === undefined || isSaid ? [] : [{ part: modelPart, value: upstreamModel }]
  const model = modelPart === undefined && !isSaid ? [["model", upstreamModel] as const] : []
  const body = editedForm(form, changed, [...model, ...fillsOf(form, upstream.extraBody)])
  return { body, asItCame: body === form.bytes, added: nothingAdded }
}

const readModel = (said: string | undefined): Either.Either<string, InvalidRequest> => {
  if (said === undefined) return invalid("model", "`model` is missing.")
  if (said === "") return invalid("model", "`model` is empty.")
  return said.length > longestModel
    ? invalid("model", `\`model\` is longer than ${longestModel} characters.`)
    : Either.right(said)
}

const read = (
  form: Form,
  deployment: string | undefined,
  modelWhereAbsent: ModelOfForm | undefined,
): Either.Either<FormRequest, InvalidRequest> => {
  const fields = decidingFields(form, decided)
  if (Either.isLeft(fields)) return Either.left(fields.left)
  const modelPart = fields.right.get("model")
  const model = readModel(deployment ?? modelPart?.text ?? modelWhereAbsent?.(saidIn(form)))
  if (Either.isLeft(model)) return Either.left(model.left)
  const named = modelPart?.text ?? (deployment === undefined ? model.right : undefined)
  return Either.mapBoth(flag("stream", fields.right.get("stream")?.text), {
    onLeft: invalidFor(model.right),
    onRight: (stream) => ({
      form,
      modelPart,
      named,
      facts: { ...plainFacts(model.right, stream), multimodal: true },
    }),
  })
}

/** So much of each field, and of all parts, tells one upload from another. */
const longestLead = 1_024

/** What the same upload is known by again, whatever is kept of it: its files by name and size, and how its fields begin. */
const leadOf = ({ parts }: Form): string => {
  const files = parts.filter(isFile).map(({ end, filename, start }) => `${filename} ${end - start}`)
  const fields = parts.map(({ name, text }) => `${name}=${text?.slice(0, longestLead) ?? ""}`)
  return [...files, ...fields].join("\n").slice(0, longestLead)
}

const asked = (request: FormRequest): AskedRequest<StoredBytes> => ({
  facts: request.facts,
  affinity: () => leadOf(request.form),
  bodyFor: (target) => Either.right(prepared(request, target)),
  bodyToResume: undefined,
})

/**
 * How the forms of an operation are read.
 *
 * @param modelWhereAbsent without it each must name one
 */
export const formReader =
  (modelWhereAbsent?: ModelOfForm): FormReader =>
  (form, { deployment }) =>
    Either.map(read(form, deployment, modelWhereAbsent), asked)
