/** The audit that keeps records in a database. */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
} from "node:fs"
import { dirname } from "node:path"
import Sqlite from "better-sqlite3"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { Audit, AuditIntake } from "./Audit.ts"
import { newRun } from "./AuditRun.ts"
import { type AuditFiles, auditFiles, defaultAuditUrl, parseAuditUrl } from "./AuditUrl.ts"
import type { AuditWriter } from "./AuditWriter.ts"
import { fingerprint, secretOf } from "./Fingerprint.ts"
import { makePrivate } from "./PrivateFiles.ts"
import { makeQueue, type QueueLimits } from "./queue/AuditQueue.ts"
import type { AuditPolicy } from "./record/AuditPolicy.ts"
import { attempting } from "./sqlite/DatabaseFault.ts"
import { tellInherited } from "./sqlite/Inherited.ts"
import { makeThreadWriter } from "./sqlite/ThreadWriter.ts"

/** The audit cannot be kept where it is configured to be. */
export class AuditUnusable extends Data.TaggedError("AuditUnusable")<{ readonly problem: string }> {
  override get message(): string {
    return this.problem
  }
}

export interface AuditOptions {
  /** The value of `AUDIT_URL`. */
  readonly url: string
  /** The policy of the configuration in force. */
  readonly policy: () => AuditPolicy
  readonly limits: QueueLimits
}

/** What to do about a directory that belongs to somebody else, as one that Docker makes for a container belongs to root. */
const remedyFor = (directory: string): string => {
  const uid = process.getuid?.()
  const owner = statSync(directory, { throwIfNoEntry: false })?.uid
  return uid === undefined || owner === undefined || owner === uid
    ? ""
    : `. It belongs to user ${owner} and this process is user ${uid}: run "chown -R ${uid}:${process.getgid?.()} ${directory}" (for a container: on the host, on the folder mounted there)`
}

/** Makes a directory and what is missing above it, one by one: Node's own way of doing that never ends in /proc. */
const makeDirectory = (directory: string): void => {
  if (existsSync(directory)) return
  makeDirectory(dirname(directory))
  try {
    mkdirSync(directory, { mode: 0o700 })
  } catch (error) {
    // Another process was quicker.
    if (!existsSync(directory)) throw error
  }
}

const sqliteHeader = "SQLite format 3\0"

/** Whether a file is SQLite's by its first bytes, as an empty one is, too. */
const isDatabase = (path: string): boolean => {
  const file = openSync(path, "r")
  try {
    const head = Buffer.alloc(sqliteHeader.length)
    const length = readSync(file, head, 0, head.length, 0)
    return length === 0 || head.toString("latin1") === sqliteHeader
  } finally {
    closeSync(file)
  }
}

/** What is wrong with the file that `AUDIT_URL` names, if anything is. */
const problemWith = (path: string): Option.Option<string> => {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return Option.none()
  if (!found.isFile()) return Option.some("is no regular file")
  return isDatabase(path)
    ? Option.none()
    : Option.some("is a file of another kind, not an SQLite database; name another, or move it away")
}

/**
 * A directory that may not be written to is a mistake in the deployment, and worth refusing to start for: nothing could be kept,
 * not even for later. So is a file that is something else. Whatever can pass, a full disk or a locked or broken database, is no
 * reason not to serve.
 */
const checkPlace = (files: AuditFiles): Effect.Effect<void, AuditUnusable> =>
  attempting(() => {
    makeDirectory(files.directory)
    accessSync(files.directory, constants.W_OK | constants.X_OK)
  }).pipe(
    Effect.zipRight(attempting(() => problemWith(files.database))),
    Effect.catchAll((fault) =>
      fault.kind === "full"
        ? Effect.succeed(Option.none<string>())
        : new AuditUnusable({
            problem: `AUDIT_URL: the audit cannot be kept in ${files.directory}: ${fault.detail}${remedyFor(files.directory)}`,
          }),
    ),
    Effect.flatMap(
      Option.match({
        onNone: () => Effect.void,
        onSome: (problem) => new AuditUnusable({ problem: `AUDIT_URL: ${files.database} ${problem}` }),
      }),
    ),
  )

/** Without SQLite's addon every row would wait for ever. */
const checkAddon: Effect.Effect<void, AuditUnusable> = Effect.try({
  try: () => void new Sqlite(":memory:").close(),
  catch: (error) => new AuditUnusable({ problem: error instanceof Error ? error.message : String(error) }),
})

/** The audit with the writer that is made for its files. */
export const auditWith = (
  options: AuditOptions,
  makeWriter: (files: AuditFiles) => Effect.Effect<AuditWriter, never, Scope.Scope>,
): Layer.Layer<Audit | AuditIntake, AuditUnusable> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const path = yield* Either.mapLeft(
        parseAuditUrl(options.url),
        (problem) => new AuditUnusable({ problem }),
      )
      const files = auditFiles(path)
      yield* checkAddon
      yield* checkPlace(files)
      yield* tellInherited(files.database, options.url === defaultAuditUrl)
      yield* makePrivate(files)
      const secret = yield* secretOf(files.secret)
      const { put, record, status } = yield* makeQueue({
        writer: yield* makeWriter(files),
        policy: options.policy,
        limits: options.limits,
        run: yield* newRun,
      })
      return Context.make(Audit, { record, status, fingerprint: fingerprint(secret) }).pipe(
        Context.add(AuditIntake, { put, status }),
      )
    }),
  )

/**
 * The audit with its writer in a thread.
 *
 * @param entry the bundled `ThreadProgram`, `audit-thread.js` beside the program
 */
export const layer = (options: AuditOptions, entry: URL): Layer.Layer<Audit | AuditIntake, AuditUnusable> =>
  auditWith(options, (files) => makeThreadWriter(entry, files.database))
