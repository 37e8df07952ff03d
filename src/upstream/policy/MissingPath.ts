/**
 * Whether a refusal says that there is nothing at the path that was asked, as servers say it that lack an endpoint, rather than that there is no such
 * model, response or file. Where both are possible it does not: to take a model's fault for the path's would keep all other models away.
 */
import { saidError } from "../../errors/SaidError.ts"
import { speaksOfModel, type Words, wordsOf } from "./ErrorWords.ts"

/** Bytes of a text that are looked at. */
const mostText = 1_000

/** `Not Found` alone, or of a page, a path or the like; `Invalid URL (POST /v1/responses)`; what routers of many makes say. */
const ofPath = [
  /^(?:\W*(?:error|404|405|501|http|post)\b)*\W*(?:(?:the )?(?:requested )?(?:page|file|path|route|resource|endpoint|url)(?: (?:was|is|you requested))?)?\s*not[ _-]?found\W*$/i,
  /\b(?:invalid|unknown|unexpected|unrecogni[sz]ed|unsupported|no such)(?: request)? (?:url|uri|path|route|endpoint|method)\b/i,
  /\b(?:path|route|url|uri|endpoint)\b[^.]{0,120}\b(?:not found|not supported|does not exist|doesn't exist|not implemented|not available)\b/i,
  /^(?:post:? )?["'`]?\/\S{1,200} (?:was |is )?not found\b/i,
  /\b(?:no route|nothing is served|cannot (?:post|get))\b/i,
  /^\W*(?:http )?method[ _-]?not[ _-]?allowed\b/i,
  /^\W*not[ _-]?implemented\W*$/i,
]

const labelOfPath =
  /^(?:unknown_(?:url|path|endpoint|route)|(?:route|path|url|endpoint|page)_?not_?found|method_?not_?allowed|not_?implemented|invalid_url)$/

/** What a request may name beside a path, and what may be missing of it. */
const ofSomethingElse =
  /\b(?:models?|deployments?|engines?|responses? with|conversations?|prompts?|files? with|ids?)\b/i

const namesPath = ({ labels, message }: Words): boolean =>
  labels.some((label) => labelOfPath.test(label)) ||
  (!ofSomethingElse.test(message) && ofPath.some((words) => words.test(message)))

const decoder = new TextDecoder()

/** A body that is no error of an API: the page of a server, bare words, or nothing. */
const isOfRouter = (body: Uint8Array): boolean => {
  const text = decoder.decode(body.subarray(0, mostText)).trim()
  if (text === "" || text.startsWith("<")) return true
  return !/^[[{"]/.test(text) && namesPath({ labels: [], message: text })
}

/** Whether a refusal is about the path. */
export const speaksOfPath = (status: number, body: Uint8Array): boolean => {
  if (status !== 404 && status !== 405 && status !== 501) return false
  const said = saidError(body)
  if (said === undefined) return isOfRouter(body)
  const words = wordsOf(said)
  if (speaksOfModel(words)) return false
  // Neither status is ever said of a model, whatever the words are.
  return namesPath(words) || (status !== 404 && !ofSomethingElse.test(words.message))
}
