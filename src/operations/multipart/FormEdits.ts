/** Changes of a form, made in its bytes as they came: one value, or fields that are added at the end. All else stays as it is, to the last byte. */
import { type Replacement, replaced, type StoredBytes } from "../../wire/StoredBytes.ts"
import type { Form, FormPart } from "./Form.ts"

const encoder = new TextEncoder()

/** A name as it may stand between quotes (https://html.spec.whatwg.org/#multipart-form-data). */
const quoted = (name: string): string => name.replace(/\r/g, "%0D").replace(/\n/g, "%0A").replace(/"/g, "%22")

const fieldText = (boundary: string, name: string, value: string): string =>
  `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"\r\n\r\n${value}\r\n`

/** Another value for a part. */
export interface NewValue {
  readonly part: Pick<FormPart, "start" | "end">
  readonly value: string
}

/** The form with another value of a part, and more fields. */
export const editedForm = (
  { boundary, bytes, closedAt }: Form,
  changed: ReadonlyArray<NewValue>,
  added: ReadonlyArray<readonly [name: string, value: string]>,
): StoredBytes => {
  const more = added.map(([name, value]) => fieldText(boundary, name, value)).join("")
  const replacements: ReadonlyArray<Replacement> = [
    ...changed.map(({ part, value }) => ({ ...part, bytes: encoder.encode(value) })),
    ...(more === "" ? [] : [{ start: closedAt, end: closedAt, bytes: encoder.encode(more) }]),
  ]
  return replacements.length === 0 ? bytes : replaced(bytes, replacements)
}
