/**
 * The head of a part of a form (RFC 7578 §4): its name and what is said of its content. multipasta reads the headers; what the values say is read here, in
 * the one way that all readers agree on.
 */
import * as Either from "effect/Either"
import * as HeadersParser from "multipasta/HeadersParser"
import { percentDecoded } from "./PercentEncoding.ts"

/** What a part says of itself. */
export interface PartHead {
  readonly name: string
  /** Where it has one, it is a file. */
  readonly filename: string | undefined
  /** As it was written. */
  readonly contentType: string | undefined
  readonly transferEncoding: string | undefined
}

/** A value that is there once. */
const single = (value: string | ReadonlyArray<string> | undefined): string | undefined =>
  typeof value === "string" ? value : undefined

/** Every place where a reader, whatever it makes of quotes and backslashes, might find the name. One run of characters: several take time by its square or cube. */
const namings = /(?:^|[\s;"])name[\s*\d]*=/gi

/** The name in quotes, where nothing stands for something else, or bare. */
const name = /;[ \t]*name="([^"\\\r\n]*)"[ \t]*(?:;|$)|;[ \t]*name=([!#$&'*+.^_`|~\w-]+)[ \t]*(?:;|$)/i

const filename = /;[ \t]*filename="((?:[^"\\]|\\.)*)"|;[ \t]*filename=([^\s;"]+)/i

/** RFC 8187: a charset, a language, and percent-encoded bytes. */
const extendedFilename = /;[ \t]*filename\*=[\w-]*'[\w-]*'([^\s;"]+)/i

const filenameIn = (disposition: string): string | undefined => {
  const [, extended] = extendedFilename.exec(disposition) ?? []
  if (extended !== undefined) return percentDecoded(extended)
  const [, quoted, bare] = filename.exec(disposition) ?? []
  // Some readers take what has an empty name for a file, others for a field.
  return quoted ?? bare ?? (/;[ \t]*filename/i.test(disposition) ? "" : undefined)
}

/** Reads the headers of a part, up to and with the empty line that ends them; why it cannot, in words that follow "a part of the form". */
export const partHead = (block: Uint8Array): Either.Either<PartHead, string> => {
  const parsed = HeadersParser.make()(block, 0)
  if (parsed._tag !== "Headers" || parsed.endPosition !== block.length) {
    return Either.left("has headers that cannot be read")
  }
  const { headers } = parsed
  const disposition = single(headers["content-disposition"])
  if (disposition === undefined || !/^form-data[ \t]*;/i.test(disposition)) {
    return Either.left("does not say once that it is form-data (content-disposition)")
  }
  const [, quoted, bare] = name.exec(disposition) ?? []
  const named = quoted ?? bare
  if (named === undefined || disposition.match(namings)?.length !== 1) {
    return Either.left("has no name, or one that not every reader takes for the same")
  }
  const contentType = headers["content-type"]
  const transferEncoding = headers["content-transfer-encoding"]
  if (Array.isArray(contentType) || Array.isArray(transferEncoding)) {
    return Either.left("says more than once what its content is")
  }
  if (contentType !== undefined && /^\s*multipart\//i.test(single(contentType) ?? "")) {
    return Either.left("is a form of its own, which few readers look into")
  }
  return Either.right({
    name: named,
    filename: filenameIn(disposition),
    contentType: single(contentType),
    transferEncoding: single(transferEncoding),
  })
}
