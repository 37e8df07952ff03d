/** Where the audit is kept: the forms of `AUDIT_URL`, and the names of the files around the database. */
import { basename, dirname, join } from "node:path"
import * as Either from "effect/Either"

/** Where the audit is kept unless somebody says otherwise. */
export const defaultAuditUrl = "sqlite:./logs/record.db"

const expected = "expected sqlite:./logs/record.db, sqlite:///absolute/path.db or a plain path"

const decoded = (path: string): string =>
  Either.getOrElse(
    Either.try(() => decodeURIComponent(path)),
    () => path,
  )

/**
 * The database's path in a value of `AUDIT_URL`: a plain path, or what follows `sqlite:` or `sqlite://`, as sqlx reads it for
 * GPT_API (so `sqlite://logs/record.db` is a relative path, and `?mode=rwc` may follow). Left says what is wrong.
 */
export const parseAuditUrl = (url: string): Either.Either<string, string> => {
  const trimmed = url.trim()
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(trimmed)?.[1]?.toLowerCase()
  if (scheme !== undefined && scheme !== "sqlite") {
    return Either.left(`AUDIT_URL: ${scheme} is not a database the audit can be kept in; ${expected}`)
  }
  const rest = scheme === undefined ? trimmed : trimmed.slice("sqlite:".length).replace(/^\/\//, "")
  const [path = "", query] = scheme === undefined ? [rest] : rest.split("?", 2)
  if (query !== undefined && query !== "mode=rwc") {
    return Either.left(`AUDIT_URL: the option ${JSON.stringify(query)} is not known; ${expected}`)
  }
  if (path === "" || path.endsWith("/") || path === ":memory:") {
    return Either.left(`AUDIT_URL: ${JSON.stringify(url)} names no file; ${expected}`)
  }
  return Either.right(scheme === undefined ? path : decoded(path))
}

/** The files of an audit, all in one directory and named after the database. */
export interface AuditFiles {
  readonly directory: string
  /** The database's name within the directory. */
  readonly name: string
  readonly database: string
  /** Keys the fingerprints. */
  readonly secret: string
  /** Locked by the process that may drain leftovers and move months. */
  readonly lock: string
  /** Begins the names of spill files. */
  readonly spillPrefix: string
}

export const auditFiles = (database: string): AuditFiles => {
  const directory = dirname(database)
  const name = basename(database)
  const stem = name.replace(/(?<=.)\.[^.]*$/, "")
  return {
    directory,
    name,
    database,
    secret: join(directory, `${stem}.secret`),
    lock: join(directory, `${stem}.lock`),
    spillPrefix: `${stem}.spill-`,
  }
}
