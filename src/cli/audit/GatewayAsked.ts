/** The running gateway that `--gateway` names. Its key comes from the environment alone: others of this machine may read a command line. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { parsedUrl } from "../../wire/ParsedUrl.ts"
import type { CliFailure } from "../CliFailure.ts"
import { adminKeyVariable, urlOf } from "../runningGateway.ts"
import { misuse } from "./Filter.ts"
import type { RunningGateway } from "./GatewayQuestions.ts"

const addressOf = (given: string): Effect.Effect<string, CliFailure> => {
  const url = parsedUrl(urlOf(given))
  const isBare = url !== undefined && url.username === "" && url.password === "" && url.search === ""
  return isBare && url.hostname !== ""
    ? Effect.succeed(`${url.origin}${url.pathname}`.replace(/\/+$/, ""))
    : misuse("--gateway: expected an address such as http://localhost:9000, without a key in it")
}

/** A name; anything else may be the key itself, which is not repeated. */
const isName = (text: string): boolean => /^[A-Z_][A-Z0-9_]{0,99}$/.test(text)

const keyIn = (variable: string) =>
  Effect.map(
    Effect.option(Config.redacted(variable)),
    Option.filter((key) => Redacted.value(key).trim() !== ""),
  )

/** Nothing where none is asked for. */
export const gatewayAsked = (
  given: string | undefined,
  keyEnv: string | undefined,
): Effect.Effect<RunningGateway | undefined, CliFailure> =>
  Effect.gen(function* () {
    if (given === undefined)
      return keyEnv === undefined ? undefined : yield* misuse("--key-env is for --gateway")
    const keyVariable = keyEnv ?? adminKeyVariable
    if (!isName(keyVariable)) {
      return yield* misuse("--key-env: expected the name of a variable in capitals, and not a key itself")
    }
    const key = yield* keyIn(keyVariable)
    if (keyEnv !== undefined && Option.isNone(key)) return yield* misuse(`--key-env: ${keyEnv} is not set`)
    return { address: yield* addressOf(given), key: Option.getOrUndefined(key), keyVariable }
  })
