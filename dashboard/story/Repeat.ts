/** A request as a line for a shell that sends it again. The key is a variable: what came with the request is not kept. */
import type { RequestStory } from "../../src/admin/api/RequestRow.ts"

/** In single quotes a shell reads nothing but the quote. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** Headers that say how a request is meant, beside its key. */
const keptHeaders = ["anthropic-version", "anthropic-beta", "openai-beta", "x-session-id"]

/** Where the endpoint is asked, by its name in the audit. */
const pathOf = (endpoint: string): string =>
  `/v1/${endpoint.replaceAll(".", "/").replace("messages/count/tokens", "messages/count_tokens")}`

/** Endpoints that take forms, whose fields and files are not kept as they came. */
const takesForm = /^(?:audio\.(?:transcriptions|translations)|images\.(?:edits|variations))$/

type Repeated = Pick<RequestStory, "endpoint" | "headers" | "request">

/** The line; nothing where the request cannot be sent again as it came. */
export const curlOf = ({ endpoint, headers, request }: Repeated, origin: string): string | undefined => {
  if (request === null || takesForm.test(endpoint)) return undefined
  const kept = keptHeaders.flatMap((name) => {
    const value = headers?.[name]
    return value === undefined ? [] : [`  -H ${quoted(`${name}: ${value}`)}`]
  })
  return [
    `curl ${origin}${pathOf(endpoint)}`,
    '  -H "Authorization: Bearer $SLUICE_KEY"',
    "  -H 'Content-Type: application/json'",
    ...kept,
    `  --data-raw ${quoted(request)}`,
  ].join(" \\\n")
}
