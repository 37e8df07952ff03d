/** The options that say which requests are meant, the same for every command of `sluice audit`. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { type AuditFilter, outcomes, parseStatus, parseTime } from "../../audit/read/AuditFilter.ts"
import { CliFailure } from "../CliFailure.ts"
import type { GivenOf } from "../Parse.ts"

export const filterOptions = {
  since: { value: "TIME", help: "from this time on: 2026-11-22, 2026-11-22T17:35, or an age: 30m, 2h, 7d" },
  until: { value: "TIME", help: "before this time" },
  model: { value: "NAME", help: "the model asked for" },
  upstream: { value: "NAME", help: "the upstream asked last" },
  endpoint: { value: "NAME", help: "the endpoint: chat.completions, messages, embeddings …" },
  status: { value: "STATUS", help: "the status answered: 429, or 5xx for a whole class" },
  outcome: { value: "WORD", help: `${outcomes.join(", ")}; failed is all but ok` },
  ip: { value: "ADDRESS", help: "the caller's address" },
  key: {
    value: "FINGERPRINT",
    help: "the fingerprint of the caller's key; `sluice audit keys` tells whose it is",
  },
  conversation: { value: "FINGERPRINT", help: "the conversation" },
  text: { value: "TEXT", help: "a part of the id, the model's name or the error, in any case" },
} as const

export const zoneOption = {
  utc: { help: "read and show times in UTC; else in this machine's time zone" },
} as const

export const misuse = (message: string) => new CliFailure({ exitCode: 2, message })

/** Reads an option's text, where it was given; what is wrong is named by its option. */
export const readOption = <A>(
  option: string,
  text: string | undefined,
  parse: (text: string) => Either.Either<A, string>,
): Effect.Effect<A | undefined, CliFailure> =>
  text === undefined
    ? Either.right(undefined)
    : Either.match(parse(text), {
        onLeft: (wrong) => misuse(`${option} ${wrong}`),
        onRight: (value) => Effect.succeed(value),
      })

/** One of some words. */
export const oneOf =
  <const Word extends string>(words: ReadonlyArray<Word>) =>
  (text: string): Either.Either<Word, string> => {
    const found = words.find((word) => word === text)
    return found === undefined
      ? Either.left(`${JSON.stringify(text)}: expected one of ${words.join(", ")}`)
      : Either.right(found)
  }

export const wholeNumber = (text: string): Either.Either<number, string> =>
  /^\d{1,9}$/.test(text) && Number(text) > 0
    ? Either.right(Number(text))
    : Either.left(`${JSON.stringify(text)}: expected a whole number from 1`)

export const filterOf = ({
  flag,
  text,
}: GivenOf<typeof filterOptions & typeof zoneOption>): Effect.Effect<AuditFilter, CliFailure> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const time = (value: string) => parseTime(value, now, flag("utc") ? "utc" : "local")
    return {
      since: yield* readOption("--since", text("since"), time),
      until: yield* readOption("--until", text("until"), time),
      model: text("model"),
      upstream: text("upstream"),
      endpoint: text("endpoint"),
      status: yield* readOption("--status", text("status"), parseStatus),
      outcome: yield* readOption("--outcome", text("outcome"), oneOf([...outcomes, "failed"])),
      clientIp: text("ip"),
      keyFingerprint: text("key"),
      conversation: text("conversation"),
      text: text("text"),
    }
  })
