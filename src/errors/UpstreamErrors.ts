/** Why no upstream gave an answer. */
import * as Data from "effect/Data"
import { noSecrets } from "../secrets/Secrets.ts"
import { longestTold, told } from "../secrets/Told.ts"
import type { Declaration } from "./Declaration.ts"
import type { RefusalKind } from "./RefusalKind.ts"
import { saidError } from "./SaidError.ts"

const decoder = new TextDecoder()

/** What a page calls itself; where it has no title, its text. */
const wordsOfPage = (page: string): string =>
  /<title[^<>]*>([^<]*)/i.exec(page)?.[1] ?? page.replace(/<[^<>]*>/g, " ")

/** The first words of a body that is not ours, on one line. */
const excerpt = (body: Uint8Array): string => {
  const start = decoder.decode(body.subarray(0, 4 * longestTold))
  const isPage = start.trimStart().startsWith("<")
  const text = (isPage ? wordsOfPage(start) : start).trim()
  if (text === "") return isPage ? "(a page)" : "(no body)"
  const words = told(text, noSecrets, longestTold)
  return isPage ? `a page, "${words}"` : words
}

/** One attempt's failure, for messages: which upstream, and why in a few words. Holds no secret. */
export interface FailedAttempt {
  readonly upstream: string
  readonly reason: string
  /** None was made, since the request cannot be said to it. */
  readonly isUnasked?: true
}

const joined = (failures: ReadonlyArray<FailedAttempt>): string =>
  failures.map(({ upstream, reason }) => `${upstream}: ${reason}`).join("; ")

const listed = (failures: ReadonlyArray<FailedAttempt>): string => {
  const asked = failures.filter(({ isUnasked }) => isUnasked !== true)
  const unasked = failures.filter(({ isUnasked }) => isUnasked === true)
  if (unasked.length === 0) return joined(asked)
  return `${asked.length === 0 ? "" : `${joined(asked)}. `}Not asked: ${joined(unasked)}`
}

/** How the others failed, where others were asked too. */
const others = (upstream: string, failures: ReadonlyArray<FailedAttempt>): string => {
  const rest = failures.filter((one) => one.upstream !== upstream || one.isUnasked === true)
  if (rest.length === 0) return ""
  return rest.every(({ isUnasked }) => isUnasked === true)
    ? ` ${listed(rest)}.`
    : ` Asked before it: ${listed(rest)}.`
}

/** An upstream's own words may end without a stop. */
const withOthers = (whole: string, asked: string): string =>
  asked === "" || /[.!?"]$/.test(whole) ? `${whole}${asked}` : `${whole}.${asked}`

/** A refusal in a sentence, with what its body says. */
const refusalInWords = ({
  body,
  said: { answered, baseUrl, kind, location },
  upstream,
}: UpstreamRefused): string => {
  const answer = `The upstream ${upstream} answered ${answered}`
  if (kind === "redirect" && location !== undefined) {
    return baseUrl === undefined
      ? `${answer} with location ${location}, and redirects are not followed; check base_url.`
      : `${answer} with location ${location}, and redirects are not followed; set base_url to ${baseUrl}.`
  }
  if (kind === "firewall") {
    return `${answer}, not from its API but from a firewall before it: ${excerpt(body)}`
  }
  const message = saidError(body)?.message
  return message === undefined
    ? `${answer}, not as an API tells of errors: ${excerpt(body)}`
    : `${answer}: ${told(message, noSecrets)}`
}

/** Official SDKs would send the request twice more. */
const neverAgain = { "x-should-retry": "false" }

/** The client's answer is this refusal of an upstream: it is about the request, or every attempt failed, this one last. */
export class UpstreamRefused extends Data.TaggedError("UpstreamRefused")<{
  readonly upstream: string
  /** What the client gets. */
  readonly status: number
  /** What the upstream answered, and what that is about. */
  readonly said: {
    readonly kind: RefusalKind
    readonly answered: number
    /** Of a redirect, as it may be told. */
    readonly location: string | undefined
    /** The `base_url` that would lead there, as far as one can tell. */
    readonly baseUrl: string | undefined
  }
  /** Whether it is about the request, or the client's own key. */
  readonly isClientsFault: boolean
  readonly headers: Readonly<Record<string, string>>
  /** As it came, without secrets. */
  readonly body: Uint8Array
  readonly failures: ReadonlyArray<FailedAttempt>
}> {
  get declared(): Declaration {
    return {
      status: this.status,
      message: withOthers(refusalInWords(this), others(this.upstream, this.failures)),
      type: "upstream_error",
      param: null,
      code: "upstream_refused",
      headers: this.said.kind === "loop" ? { ...this.headers, ...neverAgain } : this.headers,
    }
  }
}

const rejected: Readonly<Record<UpstreamCredentialsRejected["reason"], string>> = {
  credentials:
    "it refuses the api_key in this gateway's configuration, or what that key may do. Your own key is not to blame;",
  billing:
    "the account of this gateway's api_key there has no credit or quota left. You need not pay anything;",
}

/** Every attempt failed, the last because an upstream refused the key of Sluice's own configuration, or its account. */
export class UpstreamCredentialsRejected extends Data.TaggedError("UpstreamCredentialsRejected")<{
  readonly upstream: string
  readonly status: number
  readonly reason: "credentials" | "billing"
  readonly failures: ReadonlyArray<FailedAttempt>
}> {
  get declared(): Declaration {
    const whole = `The upstream ${this.upstream} answered ${this.status}: ${rejected[this.reason]} tell who runs the gateway.`
    return {
      status: 502,
      message: `${whole}${others(this.upstream, this.failures)}`,
      type: "upstream_error",
      param: null,
      code: this.reason === "billing" ? "upstream_out_of_credit" : "upstream_credentials_rejected",
    }
  }
}

/** Every attempt failed to connect or broke off. */
export class UpstreamUnreachable extends Data.TaggedError("UpstreamUnreachable")<{
  readonly failures: ReadonlyArray<FailedAttempt>
}> {
  get declared(): Declaration {
    return {
      status: 502,
      message: `No upstream could be reached. ${listed(this.failures)}.`,
      type: "upstream_error",
      param: null,
      code: "upstream_unreachable",
    }
  }
}

/** Every attempt timed out. */
export class UpstreamTimeout extends Data.TaggedError("UpstreamTimeout")<{
  readonly failures: ReadonlyArray<FailedAttempt>
}> {
  get declared(): Declaration {
    return {
      status: 504,
      message: `No upstream answered in time. ${listed(this.failures)}.`,
      type: "upstream_error",
      param: null,
      code: "upstream_timeout",
    }
  }
}

/** The time for the request as a whole ran out before an upstream answered. */
export class DeadlineExceeded extends Data.TaggedError("DeadlineExceeded")<{
  readonly afterMs: number
  /** Whose time limit it was. */
  readonly setBy: "client" | "configuration"
  readonly failures: ReadonlyArray<FailedAttempt>
}> {
  get declared(): Declaration {
    return {
      status: 504,
      message: `The request was not answered within ${this.afterMs} ms (${
        this.setBy === "client" ? "its x-request-timeout-ms" : "timeouts.request_ms of this gateway"
      }). ${this.failures.length === 0 ? "No upstream had failed until then" : listed(this.failures)}.`,
      type: "upstream_error",
      param: null,
      code: "deadline_exceeded",
    }
  }
}

/** The request has gone through this gateway, or through others like it, so often that it goes in circles. */
export class LoopDetected extends Data.TaggedError("LoopDetected")<{ readonly hops: number }> {
  get declared(): Declaration {
    return {
      status: 508,
      message: `This request has gone through Sluice ${this.hops} times already: the base_url of a client leads back to a gateway that it came from. Whoever runs the gateway corrects that base_url; x-sluice-upstream names the client, \`sluice check\` finds one that is Sluice's own address.`,
      type: "upstream_error",
      param: null,
      code: "loop_detected",
      headers: neverAgain,
    }
  }
}
