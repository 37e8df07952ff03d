/** Failures in words, for messages, logs and the audit. Only what may be told has any. */
import type { AttemptFault, AttemptOutcome } from "../../audit/record/AuditRecord.ts"
import { redirectTarget } from "../../errors/Redirect.ts"
import { saidError } from "../../errors/SaidError.ts"
import { noSecrets } from "../../secrets/Secrets.ts"
import { longestTold, told } from "../../secrets/Told.ts"
import type { ToldFailure, ToldRefusal } from "./AttemptFailure.ts"

/** What a refusal is about, where its status says too little. */
const inWords = ({ headers, kind }: ToldRefusal): string => {
  switch (kind) {
    case "credentials":
      return " (it refuses the key)"
    case "billing":
      return " (the account has no credit or quota left)"
    case "missing_model":
      return " (it has no such model)"
    case "missing_endpoint":
      return " (it has no such endpoint)"
    case "moderation":
      return " (its moderation flagged the prompt)"
    case "firewall":
      return " (a firewall before it)"
    case "loop":
      return " (it leads back to this gateway)"
    case "redirect": {
      const target = redirectTarget(headers["location"])
      return target === undefined ? "" : ` with location ${target}`
    }
    case "limit":
    case "not_found":
    case "request":
    case "provider":
      return ""
  }
}

/** What a code of the resolver means to whoever has mistyped a host. */
const connectWords: ReadonlyMap<string, string> = new Map([
  ["ENOTFOUND", "no host has that name"],
  ["EAI_AGAIN", "the host's name could not be looked up"],
])

/** A failure in a few words, for messages, logs and the audit. */
export const reasonOf = (failure: ToldFailure): string => {
  switch (failure._tag) {
    case "ConnectFailed": {
      const words = connectWords.get(failure.reason)
      return `could not connect (${failure.reason}${words === undefined ? "" : `: ${words}`})`
    }
    case "BrokenOff":
      return `broke off (${failure.reason})`
    case "TimedOut":
      return `timed out (${failure.phase} after ${failure.afterMs} ms)`
    case "Refused":
      return failure.inAnswer === undefined
        ? `answered ${failure.status}${inWords(failure)}`
        : `answered with an error (${failure.inAnswer})`
    case "Unusable":
    case "NoRoom":
      return failure.reason
  }
}

const faults: Readonly<Record<ToldFailure["_tag"], AttemptFault>> = {
  ConnectFailed: "connect",
  BrokenOff: "broken",
  TimedOut: "timeout",
  Refused: "error",
  Unusable: "unusable",
  NoRoom: "busy",
}

/** A failure as the record of its attempt has it: a status with what was said beside it, or a cause and its kind. */
export const recordedAs = (failure: ToldFailure): AttemptOutcome => {
  if (failure._tag !== "Refused" || failure.inAnswer !== undefined) {
    return { status: undefined, cause: reasonOf(failure), failure: faults[failure._tag] }
  }
  const { body, status } = failure
  // The body of a refusal that may be told is clean of keys.
  const said = told(saidError(body)?.message ?? "", noSecrets, longestTold)
  return said === "" ? { status, cause: undefined } : { status, cause: undefined, said }
}
