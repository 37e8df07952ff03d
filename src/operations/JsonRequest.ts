/** A request whose body is a JSON object that names its model, as all of OpenAI's but uploads are: read, and written for a target. */
import * as Either from "effect/Either"
import { InvalidRequest } from "../errors/RequestErrors.ts"
import { isJsonObject, type JsonObject } from "../wire/Json.ts"
import { faultAt } from "../wire/JsonFault.ts"
import { replaceMembers } from "../wire/JsonText.ts"
import type { Additions } from "./Additions.ts"
import { type Ambiguity, ambiguityIn, type Deciding } from "./OneReading.ts"
import type { Prepared } from "./Operation.ts"

export interface JsonRequest {
  readonly model: string
  readonly body: JsonObject
  /** The body as it came, without a byte order mark. */
  readonly bytes: Uint8Array
  /** `bytes` decoded. */
  readonly text: string
}

/** A mistake of the client in a member. */
export const invalid = (param: string | null, message: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ message, param }))

// A second byte order mark is a fault of the JSON.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** RFC 8259 §8.1 lets a reader ignore a byte order mark, and forbids to send one: it does not go on to the upstream. */
export const withoutMark = (bytes: Uint8Array): Uint8Array =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes

/** Longer than any provider's names; routing costs more the longer a name is. */
export const longestModel = 1_024

/** Locating a fault is for people; a text longer than this is not a slip of one, and not worth a second walk. */
const longestLocated = 262_144

/** Where the text stops being JSON, in words that quote nothing of it. */
const describeFault = (text: string): string => {
  const at = text.length <= longestLocated ? faultAt(text) : undefined
  if (at === undefined) return "The request body is not JSON."
  if (at === text.length) return "The request body is not JSON: it ends before it is complete."
  const lineStart = text.lastIndexOf("\n", at - 1) + 1
  const line = text.slice(0, at).split("\n").length
  return `The request body is not JSON: line ${line}, column ${at - lineStart + 1} is where it goes wrong.`
}

const parse = (
  bytes: Uint8Array,
): Either.Either<readonly [text: string, body: JsonObject], InvalidRequest> => {
  if (bytes.length === 0) return invalid(null, "The request body is empty; a JSON object is expected.")
  const text = Either.try(() => utf8.decode(bytes))
  if (Either.isLeft(text)) return invalid(null, "The request body is not UTF-8 text.")
  const parsed = Either.try((): unknown => JSON.parse(text.right))
  if (Either.isLeft(parsed)) return invalid(null, describeFault(text.right))
  return isJsonObject(parsed.right)
    ? Either.right([text.right, parsed.right])
    : invalid(null, "The request body is JSON, but not an object.")
}

const unclear = ({ name: path, why }: Ambiguity): Either.Either<never, InvalidRequest> =>
  invalid(
    path,
    why === "twice"
      ? `\`${path}\` stands more than once in the request body; say it once, since not every reader takes the same one.`
      : `\`${path}\` is written in another spelling in the request body (in capitals, other letters or with escapes); write it exactly so, and once, since not every reader takes it for the same.`,
  )

/**
 * Reads a body as far as every operation does.
 *
 * @param decidedBy the members that anything is decided by: none of them may be read in two ways
 * @param deployment the model of a path that names one
 * @param absent the model of a body that names none, where it need not
 */
export const readJson = (
  received: Uint8Array,
  decidedBy: Deciding,
  deployment: string | undefined,
  absent?: (body: JsonObject) => string | undefined,
): Either.Either<JsonRequest, InvalidRequest> => {
  const bytes = withoutMark(received)
  const parsed = parse(bytes)
  if (Either.isLeft(parsed)) return Either.left(parsed.left)
  const [text, body] = parsed.right
  const ambiguity = ambiguityIn(text, decidedBy)
  if (ambiguity !== undefined) return unclear(ambiguity)

  const { model: said } = body
  const model = deployment ?? (said === null ? (absent?.(body) ?? said) : (said ?? absent?.(body)))
  if (model === undefined) return invalid("model", "`model` is missing.")
  if (typeof model !== "string") return invalid("model", "`model` must be a string.")
  if (model === "") return invalid("model", "`model` is empty.")
  if (model.length > longestModel) {
    return invalid("model", `\`model\` is longer than ${longestModel} characters.`)
  }
  return Either.right({ model, body, bytes, text })
}

/** A mistake in a request whose model could be read. */
export const invalidFor =
  (model: string) =>
  ({ message, param }: InvalidRequest): InvalidRequest =>
    new InvalidRequest({ message, param, model })

/** Members of a body and their new texts. */
export type Edits = Map<string, string>

const encoder = new TextEncoder()

/**
 * The body with these edits, which are made in the text: whatever they do not touch arrives byte for byte.
 *
 * @param text the body's, where it is not the client's any more
 */
export const edited = (
  request: JsonRequest,
  edits: Edits,
  added: Additions,
  text: string = request.text,
): Prepared => {
  if (edits.size > 0) {
    return { body: encoder.encode(replaceMembers(text, [...edits])), asItCame: false, added }
  }
  return text === request.text
    ? { body: request.bytes, asItCame: true, added }
    : { body: encoder.encode(text), asItCame: false, added }
}
