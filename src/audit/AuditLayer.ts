/** The audit that keeps records in a database. */
import { accessSync, constants, mkdirSync, statSync } from "node:fs"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { AuditPolicy } from "../domain/Snapshot.ts"
import { Audit, AuditIntake } from "./Audit.ts"
import { makeQueue, type QueueLimits } from "./AuditQueue.ts"
import { newRun } from "./AuditRun.ts"
import { makeThreadWriter } from "./AuditThread.ts"
import { type AuditFiles, auditFiles, parseAuditUrl } from "./AuditUrl.ts"
import type { AuditWriter } from "./AuditWriter.ts"
import { attempting } from "./DatabaseFault.ts"
import { fingerprint, secretOf } from "./Fingerprint.ts"

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
    : `. It belongs to user ${owner} and this process is user ${uid}: where it comes from (for a container, on the host) run "chown -R ${uid}:${process.getgid?.()}" on it`
}

/**
 * A directory that may not be written to is a mistake in the deployment, and worth refusing to start for: nothing could be kept,
 * not even for later. Whatever can pass, a full disk or a locked or broken database, is no reason not to serve.
 */
const checkPlace = (files: AuditFiles): Effect.Effect<void, AuditUnusable> =>
  attempting(() => {
    mkdirSync(files.directory, { recursive: true, mode: 0o700 })
    accessSync(files.directory, constants.W_OK | constants.X_OK)
    return statSync(files.database, { throwIfNoEntry: false })?.isFile() ?? true
  }).pipe(
    Effect.catchAll((fault) =>
      fault.kind === "full"
        ? Effect.succeed(true)
        : new AuditUnusable({
            problem: `AUDIT_URL: the audit cannot be kept in ${files.directory}: ${fault.detail}${remedyFor(files.directory)}`,
          }),
    ),
    Effect.filterOrFail(
      (isFile) => isFile,
      () => new AuditUnusable({ problem: `AUDIT_URL: ${files.database} is no regular file` }),
    ),
  )

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
      yield* checkPlace(files)
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
 * @param entry the bundled `AuditWorker`, `audit-worker.js` beside the program
 */
export const layer = (options: AuditOptions, entry: URL): Layer.Layer<Audit | AuditIntake, AuditUnusable> =>
  auditWith(options, (files) => makeThreadWriter(entry, files.database))
