/** `sluice audit keys`: which fingerprint in the audit is whose key. Prints fingerprints, never keys. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { auditFiles } from "../../audit/AuditUrl.ts"
import { fingerprint, readSecret } from "../../audit/Fingerprint.ts"
import { CliFailure } from "../CliFailure.ts"
import { type Command, command } from "../Command.ts"
import { configOption, configPath, configVariable, readConfig } from "../configFile.ts"
import { Output, write } from "../Output.ts"
import { aligned } from "./Rendering.ts"
import { auditVariables, storeOption, storePath } from "./Store.ts"

const manual = {
  name: "audit keys",
  summary: "Tell whose key each fingerprint is",
  about:
    "Prints the fingerprint that the audit has for each access key of the configuration, or with --stdin for the key on standard input. No key is printed.",
  options: {
    stdin: { help: "of the key on standard input, one line, instead" },
    config: configOption,
    ...storeOption,
  },
  noWords:
    "a key is not taken as a word, where others of this machine may read it: --stdin takes it on standard input",
  examples: ["sluice audit keys", "sluice audit keys --stdin < key.txt"],
  environment: [configVariable, ...auditVariables],
  failure: "the secret beside the database, or the configuration, cannot be read",
} as const

const failed = (message: string) => new CliFailure({ exitCode: 1, message })

/** More than a key has: somebody piped something else. */
const longestKey = 16_384

const keyOfInput: Effect.Effect<string, CliFailure> = Effect.tryPromise({
  try: async () => {
    let text = ""
    for await (const chunk of process.stdin.setEncoding("utf8")) {
      text += String(chunk)
      if (text.length > longestKey) throw new Error("too long")
    }
    return text.trim()
  },
  catch: () => failed("standard input holds no key"),
}).pipe(
  Effect.filterOrFail(
    (key) => key !== "" && !key.includes("\n"),
    () => failed("standard input holds no key"),
  ),
)

const configuredKeys = (path: string) =>
  Effect.flatMap(readConfig(path), ({ loaded }) =>
    Either.match(loaded, {
      onLeft: () => failed(`${path} has errors; "sluice check ${path}" tells which`),
      onRight: ({ config }) =>
        Effect.succeed(
          config.server.access_keys.map((key, at) => [`server.access_keys[${at}]`, key] as const),
        ),
    }),
  )

export const keys: Command = command(manual, (given) =>
  Effect.gen(function* () {
    const { secret } = auditFiles(yield* storePath(given.text("db")))
    const found = given.flag("stdin")
      ? [["standard input", Redacted.make(yield* keyOfInput)] as const]
      : yield* configuredKeys(yield* configPath(given.text("config")))
    if (found.length === 0) return yield* write("no access keys are configured\n")
    const of = yield* Effect.mapBoth(readSecret(secret), {
      onFailure: () =>
        failed(`${secret}: cannot be read; the gateway makes it at its first start, for its own user alone`),
      onSuccess: fingerprint,
    })
    const { paint, room } = yield* Output
    const [, lines] = aligned(
      [
        { title: "KEY", align: "left", longest: 60 },
        { title: "FINGERPRINT", align: "left", longest: 16 },
      ],
      ([name, key]: readonly [string, Redacted.Redacted<string>]) => [name, of(key)],
      { paint, room },
    ).rows(undefined, found)
    yield* write(lines)
  }).pipe(Effect.catchTag("OutputClosed", () => Effect.void)),
)
