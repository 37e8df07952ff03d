/** The audit's files are closed to others, and its secret is read from no link and no stranger's file, and overwrites none. */
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import { auditFiles } from "../../src/audit/AuditUrl.ts"
import { readSecret, secretOf } from "../../src/audit/Fingerprint.ts"
import { makePrivate } from "../../src/audit/PrivateFiles.ts"
import { temporaryDirectory } from "../support/AuditRecords.ts"

const place = Effect.map(temporaryDirectory, (directory) => {
  const files = auditFiles(join(directory, "logs", "record.db"))
  mkdirSync(files.directory, { mode: 0o755 })
  return files
})

const modeOf = (path: string) => statSync(path).mode & 0o777

/** What it comes to, and what is logged. */
const logged = <A>(effect: Effect.Effect<A>) =>
  Effect.suspend(() => {
    const lines: Array<string> = []
    return Effect.map(
      Effect.provide(
        effect,
        Logger.replace(
          Logger.defaultLogger,
          Logger.make(({ message }) => void lines.push(String(message))),
        ),
      ),
      (value) => ({ value, lines }),
    )
  })

const secretText = "0123456789abcdef0123456789abcdef"

describe("files that are there already", () => {
  it.scoped("are closed to others, and those of somebody else's kind are not touched", () =>
    Effect.gen(function* () {
      const files = yield* place
      const ours = [
        "record.db",
        "record.db-wal",
        "record.db-shm",
        "record_202610.db",
        "record_202610.db-journal",
        "record.lock",
        "record.spill-1-000000.jsonl",
      ]
      const others = ["notes.txt", "other.db", "record.db.bak", "record_2026.db"]
      for (const name of [...ours, ...others]) {
        writeFileSync(join(files.directory, name), "")
        chmodSync(join(files.directory, name), 0o644)
      }
      const { lines } = yield* logged(makePrivate(files))
      for (const name of ours) expect(modeOf(join(files.directory, name)), name).toBe(0o600)
      for (const name of others) expect(modeOf(join(files.directory, name)), name).toBe(0o644)
      expect(lines).toEqual([expect.stringContaining("other users could read the audit")])
      expect((yield* logged(makePrivate(files))).lines).toEqual([])
    }),
  )

  it.scoped("are not followed where they are links", () =>
    Effect.gen(function* () {
      const files = yield* place
      const target = join(files.directory, "target")
      writeFileSync(target, "")
      chmodSync(target, 0o644)
      symlinkSync(target, files.database)
      yield* makePrivate(files)
      expect(modeOf(target)).toBe(0o644)
    }),
  )
})

describe("the secret", () => {
  it.scoped("is made once, for its owner alone", () =>
    Effect.gen(function* () {
      const { secret } = yield* place
      const first = yield* secretOf(secret)
      expect(modeOf(secret)).toBe(0o600)
      expect(Redacted.value(yield* secretOf(secret))).toBe(Redacted.value(first))
      expect(Redacted.value(yield* readSecret(secret))).toBe(Redacted.value(first))
    }),
  )

  it.scoped("of a file that others could read is used on, closed to them, and that is said", () =>
    Effect.gen(function* () {
      const { secret } = yield* place
      writeFileSync(secret, `${secretText}\n`)
      chmodSync(secret, 0o644)
      const { lines, value } = yield* logged(secretOf(secret))
      expect(Redacted.value(value)).toBe(secretText)
      expect(modeOf(secret)).toBe(0o600)
      expect(lines).toEqual([expect.stringContaining("other users could read")])
    }),
  )

  it.scoped.each(["a short text", "a secret", "nothing"])(
    "of a link to %s is not used, and what it points at is not written",
    (what) =>
      Effect.gen(function* () {
        const { directory, secret } = yield* place
        const target = join(directory, "target")
        const text = { "a short text": "precious", "a secret": secretText, nothing: undefined }[what]
        if (text !== undefined) writeFileSync(target, text)
        symlinkSync(target, secret)
        const { lines, value } = yield* logged(secretOf(secret))
        expect(Redacted.value(value)).not.toBe(text)
        expect(existsSync(target) ? readFileSync(target, "utf8") : undefined).toBe(text)
        expect(lines).toEqual([expect.stringContaining("it is a link")])
        expect((yield* Effect.flip(readSecret(secret))).reason).toBe("it is a link")
      }),
  )

  it.scoped("that was cut off is made anew, without writing into the other name of a hard link", () =>
    Effect.gen(function* () {
      const { directory, secret } = yield* place
      const target = join(directory, "target")
      writeFileSync(target, "precious")
      linkSync(target, secret)
      const { lines, value } = yield* logged(secretOf(secret))
      expect(readFileSync(target, "utf8")).toBe("precious")
      expect(readFileSync(secret, "utf8").trim()).toBe(Redacted.value(value))
      expect(lines).toEqual([])
    }),
  )

  it.scoped("of a folder or a file of megabytes is none", () =>
    Effect.gen(function* () {
      const one = yield* place
      mkdirSync(one.secret)
      expect((yield* logged(secretOf(one.secret))).lines).toEqual([expect.stringContaining("no plain file")])
      const other = yield* place
      writeFileSync(other.secret, "x".repeat(1 << 20))
      expect((yield* logged(secretOf(other.secret))).lines).toEqual([expect.stringContaining("so long")])
    }),
  )

  it.scoped.runIf(process.getuid?.() === 0)("of another user's file is none", () =>
    Effect.gen(function* () {
      const { secret } = yield* place
      writeFileSync(secret, secretText)
      chownSync(secret, 12_345, 12_345)
      const { lines, value } = yield* logged(secretOf(secret))
      expect(Redacted.value(value)).not.toBe(secretText)
      expect(lines).toEqual([expect.stringContaining("another user")])
    }),
  )
})
