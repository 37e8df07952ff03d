/** What comes of a fault: what may be expected by the contract (§4, §6, §9), and what that means for each way of asking. */

/** How one attempt at the faulty upstream ends, as the audit writes it: a status, or words of its cause. */
export type AttemptEnd = { readonly status: number } | { readonly cause: RegExp }

/** The error a caller gets when nobody is left to ask: one of Sluice's own, or the upstream's as it came. */
export type LastError = {
  readonly status: number
  readonly retryAfter?: string
  /** The request is to blame for it, or the caller's own key. */
  readonly isCallersFault?: true
} & ({ readonly code: string | null } | { readonly body: Buffer })

export type Expectation =
  /** Nothing is to be noticed: the answer is whole. */
  | { readonly kind: "whole"; readonly status: number }
  /** It is the caller's answer, byte for byte, and nobody else is asked. */
  | { readonly kind: "passed"; readonly status: number; readonly body: Buffer }
  /** The same of an error in another shape than OpenAI's, which is put into that shape. */
  | {
      readonly kind: "wrapped"
      readonly status: number
      /** How the attempt ended, where it was not with that status. */
      readonly attempt?: AttemptEnd
      readonly type?: string
      readonly code?: string | null
    }
  /** Another upstream is asked; where there is none, the caller gets the error. */
  | { readonly kind: "failed"; readonly attempt: AttemptEnd; readonly error: LastError }
  /** The answer had begun: the text until then, and an error event with this code. */
  | { readonly kind: "broken"; readonly text: string; readonly code: string | null }

/** Who there is besides the faulty upstream: nobody, one that is well, or one that has the same fault. */
export const companies = ["alone", "with fallback", "fallback alike"] as const
export type Company = (typeof companies)[number]

/** What a caller sees. */
export type Seen =
  | { readonly kind: "answer"; readonly text: string }
  | { readonly kind: "as it came"; readonly status: number }
  | {
      readonly kind: "error"
      readonly status: number
      readonly type: string
      readonly code: string | null
      readonly message: string
    }
  | { readonly kind: "broken"; readonly text: string; readonly code: string | null }
  /** None of these. */
  | { readonly kind: "other"; readonly what: string }

/** The text of a whole answer of the upstream that has the fault, and of the one that is well. */
export const ownText = "Hello there."
export const fallbackText = "From the fallback."

/** The names in the configuration of the upstreams of one case. */
export interface Names {
  readonly faulty: string
  readonly alike: string
  readonly healthy: string
}

/** What is seen, said in headers and written down, each part in the form `toEqual` compares. */
export interface Outcome {
  readonly seen: unknown
  readonly headers: {
    readonly upstream: string | undefined
    readonly attempts: string | undefined
    readonly shouldRetry: string | undefined
    readonly retryAfter: string | undefined
  }
  /** Every row the request left; `undefined` where the audit cannot be looked into. */
  readonly audit: ReadonlyArray<unknown> | undefined
}

const attemptRow = (upstream: string, end: AttemptEnd, matching: (pattern: RegExp) => unknown) => ({
  upstream,
  status: "status" in end ? end.status : undefined,
  cause: "cause" in end ? matching(end.cause) : undefined,
})

/**
 * What the expectation comes to in this company.
 *
 * @param matching makes of a pattern what compares equal to a text it matches
 */
export const outcomeOf = (
  expectation: Expectation,
  company: Company,
  { alike, faulty, healthy }: Names,
  matching: (pattern: RegExp) => unknown,
): Outcome => {
  const outcome = (
    seen: unknown,
    upstreams: ReadonlyArray<readonly [string, AttemptEnd]>,
    row: { readonly status: number; readonly outcome: string },
    retryAfter?: string,
  ): Outcome => ({
    seen,
    headers: {
      upstream: upstreams.at(-1)?.[0],
      attempts: String(upstreams.length),
      shouldRetry: row.status >= 400 && upstreams.length > 1 ? "false" : undefined,
      retryAfter,
    },
    audit: [
      {
        ...row,
        upstream: upstreams.at(-1)?.[0],
        attempts: upstreams.map(([upstream, end]) => attemptRow(upstream, end, matching)),
      },
    ],
  })
  const only = (status: number) => [[faulty, { status }]] as const
  switch (expectation.kind) {
    case "whole": {
      const { status } = expectation
      return outcome({ kind: "answer", text: ownText }, only(status), { status, outcome: "ok" })
    }
    case "passed": {
      const { status } = expectation
      return outcome({ kind: "as it came", status }, only(status), {
        status,
        outcome: status < 400 ? "ok" : "rejected",
      })
    }
    case "wrapped": {
      const { attempt, code = "upstream_refused", status, type = "upstream_error" } = expectation
      return outcome(
        { kind: "error", status, type, code, message: matching(/./) },
        attempt === undefined ? only(status) : [[faulty, attempt]],
        { status, outcome: "rejected" },
      )
    }
    case "broken": {
      const { code, text } = expectation
      return outcome({ kind: "broken", text, code }, only(200), { status: 200, outcome: "stream_broken" })
    }
    case "failed": {
      const { attempt, error } = expectation
      if (company === "with fallback") {
        return outcome(
          { kind: "answer", text: fallbackText },
          [
            [faulty, attempt],
            [healthy, { status: 200 }],
          ],
          { status: 200, outcome: "ok" },
        )
      }
      const asked = company === "alone" ? [faulty] : [faulty, alike]
      const { status } = error
      const seen =
        "body" in error
          ? { kind: "as it came", status }
          : {
              kind: "error",
              status,
              type: "upstream_error",
              code: error.code,
              // Where no upstream answered, the message lists each and why.
              message: matching(
                error.code === "upstream_unreachable" || error.code === "upstream_timeout"
                  ? new RegExp(asked.map((name) => `${name}: `).join(".*"))
                  : /./,
              ),
            }
      return outcome(
        seen,
        asked.map((name) => [name, attempt] as const),
        { status, outcome: error.isCallersFault ? "rejected" : "upstream_error" },
        error.retryAfter,
      )
    }
  }
}
