/**
 * What a form says in the fields that are decided by, as every reader of it says: the field stands once, by its exact name, as plain text. Forms that could
 * have one model admitted and another one served are refused; what nobody decides by passes as it is.
 */
import * as Either from "effect/Either"
import type { InvalidRequest } from "../../errors/RequestErrors.ts"
import { percentDecoded } from "../../wire/PercentEncoding.ts"
import { invalid } from "../JsonRequest.ts"
import { folded } from "../OneReading.ts"
import { type Form, type FormPart, isFile } from "./Form.ts"

/** A name as the loosest of readers matches it: without what quotes, escapes or makes it a list. */
const loosely = (name: string): string => folded(percentDecoded(name).replace(/[^\p{L}\p{N}]/gu, ""))

/** How a part may say that its text is as it stands. */
const plainEncoding = /^\s*(?:7bit|8bit|binary)\s*$/i
const plainCharset = /charset\s*=\s*"?(?:utf-?8|us-ascii)"?\s*(?:;|$)/i

const isPlain = ({ contentType = "", transferEncoding }: FormPart): boolean =>
  (transferEncoding === undefined || plainEncoding.test(transferEncoding)) &&
  (!/charset/i.test(contentType) || plainCharset.test(contentType))

const faultOf = (name: string, part: FormPart): string | undefined => {
  if (part.name !== name) {
    return `\`${name}\` is written in another spelling in the form; write it exactly so, and once, since not every reader takes it for the same.`
  }
  if (isFile(part)) return `\`${name}\` is sent as a file; send it as a field, without a filename.`
  return isPlain(part) && part.text !== undefined
    ? undefined
    : `\`${name}\` is not plain UTF-8 text of a readable length; send it so, without a transfer encoding.`
}

/** What the fields of these names say, those that are there. */
export const decidingFields = <Name extends string>(
  { parts }: Form,
  names: ReadonlyArray<Name>,
): Either.Either<ReadonlyMap<Name, FormPart & { readonly text: string }>, InvalidRequest> => {
  const found = new Map<Name, FormPart & { readonly text: string }>()
  const byFold = new Map(names.map((name) => [loosely(name), name]))
  for (const part of parts) {
    // RFC 7578 §4.6: it would change what all other fields say.
    if (part.name === "_charset_" && !/^utf-?8$/i.test(part.text ?? "")) {
      return invalid(
        "_charset_",
        "`_charset_` names another charset than UTF-8, which not every reader heeds.",
      )
    }
    const name = byFold.get(loosely(part.name))
    if (name === undefined) continue
    const fault = faultOf(name, part)
    if (fault !== undefined) return invalid(name, fault)
    if (found.has(name)) {
      return invalid(
        name,
        `\`${name}\` stands more than once in the form; say it once, since not every reader takes the same one.`,
      )
    }
    found.set(name, { ...part, text: part.text ?? "" })
  }
  return Either.right(found)
}

/** What a form calls true and false, as Python's servers read it. */
const yes = /^(?:true|1|yes|on|t|y)$/i
const no = /^(?:false|0|no|off|f|n)$/i

/** A field that is true or false; false where it is not there. */
export const flag = (name: string, text: string | undefined): Either.Either<boolean, InvalidRequest> =>
  text === undefined || no.test(text)
    ? Either.right(false)
    : yes.test(text)
      ? Either.right(true)
      : invalid(name, `\`${name}\` must be true or false.`)
