/**
 * An operation whose request and answer are one JSON object each. The gateway reads the model of the request and the usage of the answer; it changes
 * nothing but the model's name, and adds `extra_body`. What belongs to text that is written (stop words, caps, streams, cleaning, thinking) is not here.
 */
import * as Either from "effect/Either"
import { identityOf } from "../answer/AnswerIdentity.ts"
import { readUsage } from "../answer/Usage.ts"
import type { JsonObject } from "../wire/Json.ts"
import { relayLimits } from "../wire/JsonOutline.ts"
import { nothingAdded } from "./Additions.ts"
import { leadOf } from "./InputLead.ts"
import { type Edits, edited, invalid, invalidFor, type JsonRequest, readJson } from "./JsonRequest.ts"
import { deciding } from "./OneReading.ts"
import type { Operation, PlainAnswers, Recipient, RequestFacts } from "./Operation.ts"

interface JsonRelay<Name extends string>
  extends Pick<Operation<Name>, "name" | "path">,
    Pick<PlainAnswers, "says" | "silence"> {
  /** The member that holds what is asked about: requests that begin alike there go to the same upstream, where that is wished. */
  readonly input: string
}

/** Nothing of it streams, calls a tool or has choices. */
const factsOf = (model: string): RequestFacts => ({
  model,
  stream: false,
  includeUsage: false,
  tools: false,
  multimodal: false,
  choices: { n: undefined, prompts: 1 },
  unresumable: undefined,
})

/** What would be refused wherever it went, or answered in a way that its client does not wait for. */
const heeded = (request: JsonRequest, input: string, path: string) => {
  const { body, model } = request
  if (body[input] === undefined || body[input] === null) {
    return Either.mapLeft(invalid(input, `\`${input}\` is missing.`), invalidFor(model))
  }
  if (body["stream"] !== true) return Either.right(request)
  const message = `/v1${path} does not stream; leave \`stream\` out, or set it to false.`
  return Either.mapLeft(invalid("stream", message), invalidFor(model))
}

/** What the target's configuration says of any request. */
const editsFor = (
  { body }: JsonRequest,
  { upstream, upstreamModel }: Recipient,
  own: ReadonlySet<string>,
) => {
  const edits: Edits = new Map()
  for (const [name, value] of Object.entries(upstream.extraBody)) {
    if (!own.has(name) && !Object.hasOwn(body, name)) edits.set(name, JSON.stringify(value))
  }
  if (upstreamModel !== body["model"]) edits.set("model", JSON.stringify(upstreamModel))
  return edits
}

export const jsonRelay = <Name extends string>({
  input,
  name,
  path,
  says,
  silence,
}: JsonRelay<Name>): Operation<Name> => {
  const decidedBy = deciding(["model", input, "stream"])
  // The client's alone to say, or not to; and what belongs to streams.
  const own = new Set(["model", input, "stream", "stream_options"])
  return {
    name,
    method: "POST",
    dialect: undefined,
    path,
    decidedBy,
    decode: (received, deployment) =>
      Either.map(
        Either.flatMap(readJson(received, decidedBy, deployment), (request) => heeded(request, input, path)),
        (request) => ({
          facts: factsOf(request.model),
          affinity: () => leadOf(request.body[input]),
          bodyFor: (target) => Either.right(edited(request, editsFor(request, target, own), nothingAdded)),
          bodyToResume: undefined,
        }),
      ),
    plain: {
      outline: relayLimits,
      says,
      silence,
      transform: undefined,
      read: (answer: JsonObject) => ({
        ...identityOf(answer),
        usage: readUsage(answer["usage"]),
        finishReason: undefined,
        toolCalls: false,
      }),
    },
    stream: undefined,
  }
}
