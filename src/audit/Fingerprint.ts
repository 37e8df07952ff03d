/** Fingerprints of clients' keys: the same key has the same one, and without the secret nothing leads back. */
import { createHmac, randomBytes } from "node:crypto"
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { ownUser } from "./PrivateFiles.ts"

const hexDigits = 16

/** The first 64 bits of HMAC-SHA256 of the key, in hex. */
export const fingerprint =
  (secret: Redacted.Redacted<string>) =>
  (key: Redacted.Redacted<string>): string =>
    createHmac("sha256", Redacted.value(secret)).update(Redacted.value(key)).digest("hex").slice(0, hexDigits)

/** There is no secret to be had from a file. */
export class NoSecret extends Data.TaggedError("NoSecret")<{
  readonly kind: "absent" | "cut" | "unusable"
  /** In words: "it is a link". */
  readonly reason: string
}> {}

const shortest = 32

/** More is no secret of ours. */
const longest = 4096

interface Secret {
  readonly text: string
  /** The rights of others that were taken away. */
  readonly wasOpen: boolean
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : ""

const failureOf = (error: unknown): NoSecret => {
  if (error instanceof NoSecret) return error
  switch (codeOf(error)) {
    case "ENOENT":
      return new NoSecret({ kind: "absent", reason: "there is no such file" })
    case "ELOOP":
    case "EMLINK":
      return new NoSecret({ kind: "unusable", reason: "it is a link" })
    default:
      return new NoSecret({ kind: "unusable", reason: "it cannot be read" })
  }
}

const unusable = (reason: string): never => {
  throw new NoSecret({ kind: "unusable", reason })
}

/** Reads it through one descriptor, so that what was looked at is what is read: a plain file, of this user or of root, and no link. */
const readPrivate = (path: string, isOwnersOnly: boolean): Secret => {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const { mode, size, uid } = fstatSync(file)
    const isPlain = (mode & constants.S_IFMT) === constants.S_IFREG
    if (!isPlain) return unusable("it is no plain file")
    const user = ownUser()
    const isTrusted = user === undefined || uid === user || uid === 0
    if (isOwnersOnly && !isTrusted) return unusable("it belongs to another user, who knows it")
    if (size > longest) return unusable("it is no secret of ours, so long it is")
    const wasOpen = isOwnersOnly && user !== undefined && (mode & 0o077) !== 0
    if (wasOpen && uid === user) fchmodSync(file, 0o600)
    const text = readFileSync(file, "utf8").trim()
    if (text.length < shortest) throw new NoSecret({ kind: "cut", reason: "it is too short" })
    return { text, wasOpen }
  } finally {
    closeSync(file)
  }
}

/** The secret of a file for a command of the operator, who may be another user than the gateway. */
export const readSecret = (path: string): Effect.Effect<Redacted.Redacted<string>, NoSecret> =>
  Effect.map(Effect.try({ try: () => readPrivate(path, false), catch: failureOf }), ({ text }) =>
    Redacted.make(text),
  )

/** Takes the place of what is there, which is neither opened nor followed. */
const replace = (path: string, text: string): void => {
  const beside = `${path}.${process.pid}.new`
  rmSync(beside, { force: true })
  writeFileSync(beside, text, { mode: 0o600, flag: "wx" })
  renameSync(beside, path)
}

/**
 * The secret of a file, which is created (0600) where there is none. Where it can be neither read nor created, is a link or another user's, the secret lives as
 * long as the process, and the log says that fingerprints will not compare with later ones.
 */
export const secretOf = (path: string): Effect.Effect<Redacted.Redacted<string>> =>
  Effect.gen(function* () {
    const fresh = randomBytes(32).toString("hex")
    const read = Effect.try({ try: () => readPrivate(path, true), catch: failureOf })
    const making = (make: () => void) =>
      Effect.as(Effect.try({ try: make, catch: failureOf }), { text: fresh, wasOpen: false })
    const { text, wasOpen } = yield* read.pipe(
      Effect.catchIf(
        ({ kind }) => kind === "absent",
        () =>
          // "wx" creates nothing at the other end of a link.
          Effect.orElse(
            making(() => writeFileSync(path, `${fresh}\n`, { mode: 0o600, flag: "wx" })),
            // Another process was quicker.
            () => read,
          ),
      ),
      Effect.catchIf(
        ({ kind }) => kind === "cut",
        // The disk was full when it was to be written.
        () => making(() => replace(path, `${fresh}\n`)),
      ),
      Effect.catchAll(({ reason }) =>
        Effect.as(
          Effect.logWarning(
            `${path} cannot be used, ${reason}: key fingerprints of this run will not compare with others; remove it, and a new one is made`,
          ),
          { text: fresh, wasOpen: false },
        ),
      ),
    )
    if (wasOpen) {
      yield* Effect.logWarning(
        `other users could read ${path}: whoever did can tell which key a fingerprint is of; remove it for a new one, with which fingerprints begin anew`,
      )
    }
    return Redacted.make(text)
  })
