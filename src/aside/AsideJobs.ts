/**
 * The jobs that are done aside (`aside/Aside.ts`): pure functions by their names, over plain values. Each is what the event loop does itself of a body
 * that is small, so a body is read alike wherever it is read.
 */
import * as Either from "effect/Either"
import type { ChoiceTransform } from "../answer/ChoiceTransform.ts"
import type { InvalidRequest, NotAsked } from "../errors/RequestErrors.ts"
import type { Additions, Omissions } from "../operations/Additions.ts"
import type { AskedTarget, Recipient, RequestFacts } from "../operations/Operation.ts"
import { operationsByName, type ServedName } from "../operations/Operations.ts"
import {
  type TranslatedAnswer,
  translatedAnswer,
  type Unsaid,
} from "../operations/translation/TranslatedAnswer.ts"
import { preparedFor } from "../operations/translation/TranslatedRequest.ts"
import type { Translation } from "../operations/translation/Translation.ts"
import { type Model, readModels } from "../routing/ModelList.ts"
import type { JsonObject } from "../wire/Json.ts"
import { parseJson } from "../wire/JsonBytes.ts"
import { answerLimits, outlineOf } from "../wire/JsonOutline.ts"
import { joined } from "../wire/Pieces.ts"
import { weighed } from "../wire/SharedBytes.ts"

/** The client's mistake, as plain values: of an error another thread gets no more. */
export interface Mistake {
  readonly kind: "mistake"
  readonly message: string
  readonly param: string | null
  readonly code: string | undefined
  readonly model: string | undefined
  readonly unsaid?: NotAsked | undefined
}

/** Where a client's body is, all of it in memory that threads share. */
interface Received {
  readonly operation: ServedName
  readonly target: AskedTarget
  readonly onlyModel?: string | undefined
}

/** What each job is given, and what it gives. Both go from thread to thread, so they are plain values, and bytes. */
export interface AsideJobs {
  /** Reads a client's body. */
  readonly read: {
    readonly input: Received & { readonly pieces: ReadonlyArray<Uint8Array> }
    readonly output: {
      /** All of the body, in shared memory. */
      readonly bytes: Uint8Array
      readonly read:
        | {
            readonly kind: "request"
            readonly facts: RequestFacts
            readonly affinity: string
          }
        | Mistake
    }
  }
  /** Makes the body for a target of it. */
  readonly prepare: {
    readonly input: Received & {
      readonly bytes: Uint8Array
      readonly recipient: Recipient
      readonly omissions: Omissions
      readonly said: string | undefined
    }
    readonly output:
      | {
          readonly kind: "prepared"
          /** `undefined` where the body is to be sent as it came. */
          readonly body: Uint8Array | undefined
          readonly added: Additions
          readonly dropped?: ReadonlyArray<string>
          readonly translation?: Translation
        }
      | Mistake
  }
  /** Changes the texts of a plain answer. */
  readonly transform: {
    readonly input: AnswerBytes & { readonly transform: ChoiceTransform }
    readonly output: { readonly body: Uint8Array }
  }
  /** Gives a plain answer out in another dialect, and outlines it; nothing where it is none that can be. */
  readonly translate: {
    readonly input: {
      readonly bytes: Uint8Array
      readonly translation: Translation
      readonly unsaid: Unsaid
    }
    readonly output: {
      readonly translated: TranslatedAnswer | undefined
      readonly outline: JsonObject | undefined
    }
  }
  /** Changes the texts of a plain answer, and cuts it into the data of events; none where it is no answer. */
  readonly chunks: {
    readonly input: AnswerBytes & { readonly transform: ChoiceTransform; readonly limitBytes: number }
    readonly output: { readonly datas: ReadonlyArray<Uint8Array> }
  }
  /** Puts the data of chunks together into a plain answer, and outlines it; nothing where they are none that can be printed. */
  readonly gather: {
    readonly input: { readonly operation: ServedName; readonly packed: Uint8Array }
    readonly output: { readonly body: Uint8Array | undefined; readonly outline: JsonObject | undefined }
  }
  /** Reads a list of models; nothing where it is none. */
  readonly models: {
    readonly input: { readonly bytes: Uint8Array; readonly ownedBy: string }
    readonly output: { readonly models: ReadonlyArray<Model> | undefined }
  }
}

/** A plain answer of an upstream. */
interface AnswerBytes {
  readonly operation: ServedName
  readonly bytes: Uint8Array
}

export type JobName = keyof AsideJobs

const mistake = ({ code, message, model, param, unsaid }: InvalidRequest): Mistake => ({
  kind: "mistake",
  message,
  param,
  code,
  model,
  unsaid,
})

const transformed = (name: ServedName, transform: ChoiceTransform, bytes: Uint8Array): Uint8Array =>
  operationsByName[name].plain.transform?.(transform, bytes) ?? bytes

const outlined = (body: Uint8Array | undefined) => ({
  body,
  outline: body === undefined ? undefined : outlineOf(body, answerLimits),
})

/** The facts alone, all of them: an operation's own may be its whole request. */
const factsAlone = ({
  characters,
  choices,
  continues,
  includeUsage,
  model,
  multimodal,
  stream,
  tools,
  unresumable,
}: RequestFacts): { readonly [Name in keyof Required<RequestFacts>]: RequestFacts[Name] } => ({
  characters,
  choices,
  continues,
  includeUsage,
  model,
  multimodal,
  stream,
  tools,
  unresumable,
})

/** The jobs. */
export const asideJobs: {
  readonly [N in JobName]: (input: AsideJobs[N]["input"]) => AsideJobs[N]["output"]
} = {
  read: ({ onlyModel, operation, pieces, target }) => {
    const bytes = joined(pieces)
    const read = Either.match(operationsByName[operation].decode(bytes, target, onlyModel), {
      onLeft: mistake,
      onRight: ({ affinity, facts }) =>
        ({ kind: "request", facts: factsAlone(facts), affinity: affinity() }) as const,
    })
    return { bytes, read }
  },
  prepare: ({ bytes, omissions, onlyModel, operation, recipient, said, target }) =>
    Either.match(
      Either.flatMap(operationsByName[operation].decode(weighed(bytes), target, onlyModel), (asked) =>
        preparedFor(operationsByName[operation], asked, recipient, omissions, said),
      ),
      {
        onLeft: mistake,
        onRight: ({ added, asItCame, body, dropped, translation }) => ({
          kind: "prepared",
          body: asItCame ? undefined : body,
          added,
          ...(dropped === undefined ? {} : { dropped }),
          ...(translation === undefined ? {} : { translation }),
        }),
      },
    ),
  transform: ({ bytes, operation, transform }) => ({ body: transformed(operation, transform, bytes) }),
  translate: ({ bytes, translation, unsaid }) => {
    const translated = translatedAnswer(translation, unsaid, bytes)
    return { translated, outline: outlined(translated?.body).outline }
  },
  chunks: ({ bytes, limitBytes, operation, transform }) => {
    const { stream } = operationsByName[operation]
    const body = transformed(operation, transform, bytes)
    return { datas: stream?.givenOut(body, limitBytes) ?? [] }
  },
  gather: ({ operation, packed }) => {
    const { stream } = operationsByName[operation]
    return outlined(stream?.gathered(packed))
  },
  models: ({ bytes, ownedBy }) => ({ models: readModels(parseJson(bytes), ownedBy) }),
}
