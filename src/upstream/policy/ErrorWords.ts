/** What an error of an API says of itself: its identifiers and its message, bounded, and what these speak of. */
import type { SaidError } from "../../errors/SaidError.ts"
import { isJsonArray, isJsonObject, type Json } from "../../wire/Json.ts"

/** What an error says of itself. */
export interface Words {
  /** Its codes and types, such as `rate_limit_exceeded`. */
  readonly labels: ReadonlyArray<string>
  readonly message: string
}

/** Characters of a message that are looked at. */
export const longestMessage = 1_000
const longestLabel = 100
const mostDetails = 10

export const silent: Words = { labels: [], message: "" }

const labelOf = (value: Json | undefined): ReadonlyArray<string> =>
  typeof value === "string"
    ? [
        value
          .slice(0, longestLabel)
          .toLowerCase()
          .replace(/[\s-]+/g, "_"),
      ]
    : []

/** Google's errors say more in `details`. */
const detailLabels = (details: Json | undefined): ReadonlyArray<string> =>
  isJsonArray(details)
    ? details
        .slice(0, mostDetails)
        .filter(isJsonObject)
        .flatMap(({ reason }) => labelOf(reason))
    : []

/** What it says of itself, bounded. */
export const wordsOf = ({ beside, error, message }: SaidError): Words => {
  const { code, details, metadata, reason, status, type } = error
  const flagged =
    isJsonObject(metadata) && (metadata["flagged_input"] !== undefined || metadata["reasons"] !== undefined)
  return {
    labels: [
      ...[code, type, status, reason, beside["code"], beside["type"]].flatMap(labelOf),
      ...detailLabels(details),
      ...(flagged ? ["moderation"] : []),
    ],
    message: message.slice(0, longestMessage),
  }
}

/** Whether a label or the message says it. */
export const says = ({ labels, message }: Words, label: RegExp, words: RegExp): boolean =>
  labels.some((one) => label.test(one)) || words.test(message)

/** That there is no such model, or not for whoever asks. */
export const speaksOfModel = (words: Words): boolean =>
  says(
    words,
    /model_?not_?(?:found|exist|supported)|(?:invalid|unknown|unsupported)_?model|deployment_?not_?found/,
    /\baccess (?:to )?(?:the )?(?:model|deployment)\b|^(?:the )?(?:requested )?(?:model|deployment)\b.{0,120}\b(?:not found|does not exist|doesn't exist|not exist)\b|\bnot a valid model\b|^(?:invalid|unknown|no such) model(?: name| id)?(?:$|[:.,]| ["'`])/i,
  )
