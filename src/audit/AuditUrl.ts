/** Where the audit is kept: the forms of `AUDIT_URL`, and the names of the files around the database. */
import { basename, dirname, join } from "node:path"
import * as Either from "effect/Either"
import { hasKeyForm } from "../secrets/KeyForm.ts"

/** Where the audit is kept unless somebody says otherwise. */
export const defaultAuditUrl = "sqlite:./logs/record.db"

const expected = "expected sqlite:./logs/record.db, sqlite:///absolute/path.db or a plain path"

/** Those that people mean, which are told; what else stands before a colon may be a secret. */
const otherDatabases: ReadonlySet<string> = new Set([
  "file",
  "http",
  "https",
  "libsql",
  "mariadb",
  "mysql",
  "postgres",
  "postgresql",
])

const decoded = (path: string): string =>
  Either.getOrElse(
    Either.try(() => decodeURIComponent(path)),
    () => path,
  )

/**
 * The database's path in a value of `AUDIT_URL`: a plain path, or what follows `sqlite:` or `sqlite://`, as sqlx reads it for
 * GPT_API (so `sqlite://logs/record.db` is a relative path, and `?mode=rwc` may follow). Left says what is wrong, for the log: without the value, which may be
 * a key or hold a password.
 */
export const parseAuditUrl = (url: string): Either.Either<string, string> => {
  const trimmed = url.trim()
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(trimmed)?.[1]?.toLowerCase()
  if (scheme !== undefined && scheme !== "sqlite") {
    const what = otherDatabases.has(scheme) ? `${scheme} is not a database` : "this names no database that"
    return Either.left(`AUDIT_URL: ${what} the audit can be kept in; ${expected}`)
  }
  const rest = scheme === undefined ? trimmed : trimmed.slice("sqlite:".length).replace(/^\/\//, "")
  const [path = "", query] = scheme === undefined ? [rest] : rest.split("?", 2)
  if (query !== undefined && query !== "mode=rwc") {
    return Either.left(`AUDIT_URL: the only option behind ? is mode=rwc; ${expected}`)
  }
  if (path === "" || path.endsWith("/") || path === ":memory:") {
    return Either.left(`AUDIT_URL: this names no file; ${expected}`)
  }
  if (path.startsWith("~")) {
    return Either.left(
      `AUDIT_URL: ~ stands for a home directory in a shell only, write that out; ${expected}`,
    )
  }
  if (hasKeyForm(basename(path))) {
    return Either.left(`AUDIT_URL: this looks like a key, and no name of a file; ${expected}`)
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
