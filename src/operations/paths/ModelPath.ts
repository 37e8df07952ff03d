/** The path of one model, whose id may hold slashes. */
import { percentDecoded } from "../../wire/PercentEncoding.ts"
import { writtenPath } from "./RequestTarget.ts"
import { spellingsOf } from "./Spellings.ts"

const modelPath = /^(?:\/+(?:v1|openai|anthropic))*\/+models\/(.+)$/s

/**
 * The id in the path of one model, as it was written: it may hold slashes, escaped or not, and begin with one, as the path of a model in a file
 * does. Only of a target whose `pathOf` leads below `/models`.
 */
export const modelIn = (target: string): string =>
  percentDecoded(modelPath.exec(writtenPath(target))?.[1] ?? "")

/** An id as a client meant it whose base URL ends with a slash, or that wrote one behind the id. */
export const withoutOuterSlashes = (id: string): string => id.replace(/^\/+/, "").replace(/(?<!\/)\/+$/, "")

const modelPrefixes = ["/models/", "//anthropic/v1/models/"].flatMap(spellingsOf)

/** Whether a path leads to one model. */
export const isModelPath = (path: string): boolean =>
  modelPrefixes.some((prefix) => path.length > prefix.length && path.startsWith(prefix))
