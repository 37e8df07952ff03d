/**
 * What is asked of a response that its upstream keeps, by the id it was given out with: to be told it, to end or forget it, to list what it was made of.
 * Only who made it is asked, and what it answers is handed on, a response that failed too.
 */
import * as Either from "effect/Either"
import { readResponse, transformStored } from "../../answer/responses/PlainResponse.ts"
import { ownId } from "../../answer/responses/ResponseId.ts"
import { responsesGrammar } from "../../answer/responses/ResponsesGrammar.ts"
import type { StreamGrammar } from "../../answer/StreamGrammar.ts"
import { InvalidRequest } from "../../errors/RequestErrors.ts"
import { isName } from "../../routing/Passthrough.ts"
import { pathAt } from "../../routing/Upstream.ts"
import { answerLimits } from "../../wire/JsonOutline.ts"
import { nothingAdded } from "../Additions.ts"
import { deciding } from "../OneReading.ts"
import type { Operation, RequestFacts } from "../Operation.ts"
import { plainFacts } from "../PlainFacts.ts"

export type StoredResponseName =
  | "responses.retrieve"
  | "responses.delete"
  | "responses.cancel"
  | "responses.input_items"

/** What stands behind the id in a path. */
type BehindId = "" | "/cancel" | "/input_items"

const nothing = new Uint8Array()

const factsOf = (id: string, stream: boolean): RequestFacts => ({
  ...plainFacts("", stream),
  continues: { kind: "response", id, param: null },
})

const neverAsked = new InvalidRequest({ message: "No response is named.", param: null })

/** Marks are no secret: an id may be anybody's invention, and is sent with the key of the upstream. */
const leadsElsewhere = new InvalidRequest({
  message: "The id of the response could be read as another path: it has slashes, or dots for a segment.",
  param: null,
})

const stored = <Name extends StoredResponseName>(
  name: Name,
  method: Operation["method"],
  behindId: BehindId,
  about: string,
  stream?: StreamGrammar,
): Operation<Name> => ({
  name,
  method,
  dialect: "responses",
  face: "openai",
  about,
  paths: [`/responses/{id}${behindId}`],
  decidedBy: deciding([]),
  keptAt: (upstream, id) => {
    const below = pathAt(upstream, { name: "responses", paths: ["/responses"] })
    return `${below}/${encodeURIComponent(ownId(id, upstream.name) ?? id)}${behindId}`
  },
  // All that is asked stands in the path and its query; a body that came all the same says nothing.
  decode: (_, { id, query }) =>
    id === undefined || !isName(id)
      ? Either.left(id === undefined ? neverAsked : leadsElsewhere)
      : Either.right({
          facts: factsOf(id, stream !== undefined && asksStream(query)),
          affinity: () => "",
          bodyFor: () => Either.right({ body: nothing, asItCame: false, added: nothingAdded }),
          bodyToResume: undefined,
        }),
  marks: () => "all",
  plain: {
    kind: "judged",
    outline: answerLimits,
    says: () => true,
    silence: "nothing",
    tellsErrors: true,
    transform: transformStored,
    isChanged: () => true,
    read: readResponse,
  },
  stream,
})

const asksStream = (query: string | undefined): boolean => new URLSearchParams(query).get("stream") === "true"

/** All of them. */
export const storedOperations: { readonly [Name in StoredResponseName]: Operation<Name> } = {
  "responses.retrieve": stored(
    "responses.retrieve",
    "GET",
    "",
    "a stored response, with `?stream=true` too",
    responsesGrammar,
  ),
  "responses.delete": stored("responses.delete", "DELETE", "", "forgets it"),
  "responses.cancel": stored("responses.cancel", "POST", "/cancel", "ends one that runs in the background"),
  "responses.input_items": stored("responses.input_items", "GET", "/input_items", "what it was made of"),
}
