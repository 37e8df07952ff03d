/** Fingerprints of clients' keys: the same key has the same one, and without the secret nothing leads back. */
import { createHmac, randomBytes } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

const hexDigits = 16

/** The first 64 bits of HMAC-SHA256 of the key, in hex. */
export const fingerprint =
  (secret: Redacted.Redacted<string>) =>
  (key: Redacted.Redacted<string>): string =>
    createHmac("sha256", Redacted.value(secret)).update(Redacted.value(key)).digest("hex").slice(0, hexDigits)

const read = (path: string) =>
  Effect.try(() => readFileSync(path, "utf8").trim()).pipe(Effect.filterOrFail((text) => text.length >= 32))

/** The secret of a file, if it is there and may be read. */
export const readSecret = (
  path: string,
): Effect.Effect<Redacted.Redacted<string>, Cause.UnknownException | Cause.NoSuchElementException> =>
  Effect.map(read(path), Redacted.make<string>)

/**
 * The secret of a file, which is created (0600) where there is none. Where it can be neither read nor created the secret lives as
 * long as the process, and the log says that fingerprints will not compare with later ones.
 */
export const secretOf = (path: string): Effect.Effect<Redacted.Redacted<string>> =>
  Effect.gen(function* () {
    const fresh = randomBytes(32).toString("hex")
    const create = (flag: "w" | "wx") =>
      Effect.as(
        Effect.try(() => writeFileSync(path, `${fresh}\n`, { mode: 0o600, flag })),
        fresh,
      )
    return yield* read(path).pipe(
      Effect.orElse(() => create("wx")),
      // Another process was quicker.
      Effect.orElse(() => read(path)),
      // What is there is no secret: the disk was full when it was to be written.
      Effect.orElse(() => create("w")),
      Effect.catchAll(() =>
        Effect.as(
          Effect.logWarning(
            `${path} can be neither read nor created: key fingerprints of this run will not compare with others`,
          ),
          fresh,
        ),
      ),
      Effect.map(Redacted.make<string>),
    )
  })
