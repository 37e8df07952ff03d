/**
 * An operation whose request is one JSON object, as its answer is where that is not sound. The gateway reads the model of the request and the usage of the answer; it changes
 * nothing but the model's name, and adds `extra_body`. What belongs to text that is written (stop words, caps, streams, cleaning, thinking) is not here.
 */
import * as Either from "effect/Either"
import { identityOf } from "../answer/AnswerIdentity.ts"
import { readUsage, type Usage } from "../answer/Usage.ts"
import type { InvalidRequest } from "../errors/RequestErrors.ts"
import { isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
import { relayLimits, vectorLimits } from "../wire/JsonOutline.ts"
import { nothingAdded } from "./Additions.ts"
import { fill, fillsOf } from "./ExtraBody.ts"
import { leadOf } from "./InputLead.ts"
import { holdsOther } from "./InputParts.ts"
import { type Edits, edited, invalid, invalidFor, type JsonRequest, readJson } from "./JsonRequest.ts"
import { deciding } from "./OneReading.ts"
import type {
  AskedRequest,
  Operation,
  PlainAnswers,
  Recipient,
  RelayedAnswers,
  RequestFacts,
} from "./Operation.ts"
import { plainFacts } from "./PlainFacts.ts"
import { countAsked } from "./text/Choices.ts"

/** Names of members of which a request has one. */
type OneOf = readonly [string, ...ReadonlyArray<string>]

export interface JsonRelay<Name extends string>
  extends Pick<Operation<Name>, "about" | "name" | "paths">,
    Pick<PlainAnswers, "says" | "silence"> {
  /**
   * What a request cannot do without: of each of these one. The first holds what is asked about: requests that begin alike there go to the same
   * upstream, where that is wished.
   */
  readonly needs: readonly [OneOf, ...ReadonlyArray<OneOf>]
  /** The model of a request that names none, given the only one that is served; without it each must name one. */
  readonly modelWhereAbsent?: (only: string | undefined, body: JsonObject) => string | undefined
  /** Answers are handed on as their bytes come; absent: each that is not long is read to its end, and judged. */
  readonly relays?: Pick<RelayedAnswers, "holds" | "objectOf" | "outline">
  /** Answers are made of vectors, which no record keeps. */
  readonly vectors?: true
  /** What an answer costs beside what its usage says. */
  readonly counted?: (answer: JsonObject, usage: Usage) => Partial<Usage>
  /** The characters of a request, where they are paid for. */
  readonly characters?: (body: JsonObject) => number | undefined
  /** How its answers stream, and the member and value that ask for that; absent: they never do. */
  readonly streams?: {
    readonly by: readonly [member: string, value: Json]
    readonly as: Operation["stream"]
  }
}

type AskedOf = Pick<RequestFacts, "characters" | "choices" | "stream">

/** What is said where none of these is there: the usual one first. */
const missing = ([usual, ...others]: OneOf): string =>
  others.length === 0
    ? `\`${usual}\` is missing.`
    : `\`${usual}\` is missing (or ${others.map((one) => `\`${one}\``).join(", or ")}).`

const isThere = (value: Json | undefined): boolean => value !== undefined && value !== null

/**
 * What the target's configuration says of any request.
 *
 * @param model what the body names, or the upstream takes it to mean
 */
const editsFor = (
  body: JsonObject,
  model: Json | undefined,
  { upstream, upstreamModel }: Recipient,
  own: ReadonlySet<string>,
) => {
  const edits: Edits = new Map()
  fill(edits, fillsOf(body, upstream.extraBody, own))
  if (upstreamModel !== model) edits.set("model", JSON.stringify(upstreamModel))
  return edits
}

/** What was used: OpenAI's `usage`, or Cohere's `meta`, which tells the tokens, and what is paid. */
const usageOf = ({ meta, usage }: JsonObject): Usage => {
  if (!isJsonObject(meta)) return readUsage(usage)
  const billed = readUsage(meta["billed_units"])
  const used = isThere(usage)
    ? readUsage(usage)
    : isThere(meta["tokens"])
      ? readUsage(meta["tokens"])
      : billed
  return { ...used, searchUnits: used.searchUnits ?? billed.searchUnits }
}

const judged = { kind: "judged", isHandedOn: true, outline: relayLimits } as const
const judgedVectors = { ...judged, outline: vectorLimits, holdsVectors: true } as const

export const jsonRelay = <Name extends string>({
  about,
  characters,
  counted,
  modelWhereAbsent,
  name,
  needs,
  paths,
  relays,
  says,
  silence,
  streams,
  vectors,
}: JsonRelay<Name>): Operation<Name> => {
  const asking = streams === undefined ? [] : [streams.by[0]]
  // What answers as bytes come may stream them by a member of its own.
  const neverStreams = relays === undefined && streams === undefined
  const ofStreams = neverStreams ? ["stream"] : streams === undefined ? [] : ["n"]
  const decidedBy = deciding(["model", ...needs.flat(), ...asking, ...ofStreams])
  // The client's alone to say, or not to; and what belongs to streams.
  const own = new Set(["model", ...needs.flat(), ...asking, "stream", "stream_options"])
  const [leading] = needs
  const askedOf = (body: JsonObject): AskedOf => ({
    characters: characters?.(body),
    ...(streams === undefined
      ? { stream: false, choices: { n: undefined, prompts: 1 } }
      : { stream: body[streams.by[0]] === streams.by[1], choices: { n: countAsked(body), prompts: 1 } }),
  })
  const spentIn = (answer: JsonObject): Usage => {
    const usage = usageOf(answer)
    return counted === undefined ? usage : { ...usage, ...counted(answer, usage) }
  }

  const read = (
    request: JsonRequest,
    deployment: string | undefined,
  ): Either.Either<AskedRequest, InvalidRequest> => {
    const { body, model } = request
    if (neverStreams && body["stream"] === true) {
      const message = `/v1${paths[0]} does not stream; leave \`stream\` out, or set it to false.`
      return Either.mapLeft(invalid("stream", message), invalidFor(model))
    }
    for (const names of needs) {
      if (names.some((one) => isThere(body[one]))) continue
      return Either.mapLeft(invalid(names[0], missing(names)), invalidFor(model))
    }
    const multimodal = needs.some((names) => names.some((one) => holdsOther(body[one])))
    const named = deployment === undefined && !isThere(body["model"]) ? model : body["model"]
    return Either.right({
      facts: { ...plainFacts(model, false), includeUsage: false, multimodal, ...askedOf(body) },
      affinity: () => leadOf(leading.map((one) => body[one]).find(isThere)),
      bodyFor: (target) => Either.right(edited(request, editsFor(body, named, target, own), nothingAdded)),
      bodyToResume: undefined,
    })
  }

  return {
    name,
    method: "POST",
    dialect: undefined,
    face: "openai",
    about,
    paths,
    decidedBy,
    decode: (received, { deployment }, only) =>
      Either.flatMap(
        readJson(received, decidedBy, deployment, (body) => modelWhereAbsent?.(only, body)),
        (request) => read(request, deployment),
      ),
    plain: {
      ...(relays === undefined ? (vectors ? judgedVectors : judged) : { kind: "relayed", ...relays }),
      says,
      silence,
      transform: undefined,
      isChanged: () => false,
      read: (answer: JsonObject) => ({
        ...identityOf(answer),
        usage: spentIn(answer),
        finishReason: undefined,
        toolCalls: false,
      }),
    },
    stream: streams?.as,
  }
}
