/** Why the gateway gave no answer, in words. */

export type ProblemKind = "signed_out" | "refused" | "busy" | "missing" | "unreachable" | "failed"

export interface Problem {
  readonly kind: ProblemKind
  /** What is wrong, and what to do where that is known. */
  readonly message: string
}

export const unreachable: Problem = {
  kind: "unreachable",
  message: "The gateway does not answer. Is it running, and is this browser still connected to it?",
}

const kindOf = (status: number): ProblemKind => {
  if (status === 401) return "signed_out"
  if (status === 403) return "refused"
  if (status === 404) return "missing"
  return status === 503 || status === 429 ? "busy" : "failed"
}

/** The message of the API's errors, `{"error":{"message":…}}`. */
const messageIn = (body: string): string | undefined => {
  try {
    const message: unknown = JSON.parse(body)?.error?.message
    return typeof message === "string" && message !== "" ? message : undefined
  } catch {
    // A proxy between may have answered with a page of its own.
    return undefined
  }
}

/** What an answer of this status and body says went wrong. */
export const problemOf = (status: number, body: string): Problem => ({
  kind: kindOf(status),
  message: messageIn(body) ?? `The gateway, or a proxy before it, answered ${status} and did not say why.`,
})
