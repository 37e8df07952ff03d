/** In which face a request is told of errors: by its path, and where both families have it, by its headers. */
import type { FaceName } from "../errors/faces/Face.ts"
import type { ReceivedHeaders } from "../wire/Headers.ts"
import { allOperations } from "./Operations.ts"
import { isModelPath } from "./paths/ModelPath.ts"
import { namedIn } from "./paths/NamedPath.ts"
import { pathOf } from "./paths/RequestTarget.ts"
import { spellingsOf } from "./paths/Spellings.ts"

const facesByPath: ReadonlyMap<string, FaceName> = new Map(
  allOperations.flatMap(({ face, paths }) =>
    paths.flatMap(spellingsOf).map((spelling) => [spelling, face] as const),
  ),
)

const modelLists: ReadonlySet<string> = new Set(spellingsOf("/models"))

/** What Anthropic's clients call, whether it is served or not. */
const anthropicPath = /^\/anthropic(?:\/|$)|^(?:\/(?:v1|openai))*\/messages(?:\/|$)/

/** Whether a client of Anthropic's asks for models, which OpenAI's do at the same path. */
const isAnthropics = (headers: ReceivedHeaders): boolean =>
  headers["anthropic-version"] !== undefined || headers["x-api-key"] !== undefined

/** @param target as the client wrote it: a path, or a whole URL, with its query */
export const faceOf = (target: string, headers: ReceivedHeaders): FaceName => {
  const path = pathOf(target)
  const known = facesByPath.get(path)
  if (known !== undefined) return known
  if (anthropicPath.test(path)) return "anthropic"
  if (modelLists.has(path) || isModelPath(path)) return isAnthropics(headers) ? "anthropic" : "openai"
  return namedIn(path)?.operations[0]?.face ?? "openai"
}
