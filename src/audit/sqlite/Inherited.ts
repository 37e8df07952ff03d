/** What GPT_API left: the database that is taken over at the first start, and the one that lies where Sluice does not look. */
import Sqlite from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** How many rows the file holds, if GPT_API wrote it and it was not taken over yet. */
const rowsOfGptApi = (path: string): Option.Option<number> =>
  Option.flatten(
    Option.liftThrowable(() => {
      const database = new Sqlite(path, { readonly: true, timeout: 0 })
      try {
        // No row of it is ever deleted, and counting them would read them all.
        const [found] = database
          .prepare<{ n: number | null; version: number }>(
            "SELECT (SELECT max(rowid) FROM records) AS n, user_version AS version FROM pragma_user_version",
          )
          .all()
        return found === undefined || found.version !== 0 ? Option.none<number>() : Option.some(found.n ?? 0)
      } finally {
        database.close()
      }
    })(),
  )

/** Where GPT_API kept its database, unless it was told otherwise; its image and Sluice have it in `logs`. */
const itsDefault = "./record.db"

/** Says in the log what becomes of GPT_API's rows. To be run before the database is opened for writing, which takes them over. */
export const tellInherited = (database: string, isDefault: boolean): Effect.Effect<void> =>
  Effect.suspend(() =>
    Effect.zipRight(
      Option.match(rowsOfGptApi(database), {
        onNone: () => Effect.void,
        onSome: (rows) =>
          Effect.logInfo("audit: GPT_API's database is taken over; its rows stay in the view `records`", {
            database,
            rows,
          }),
      }),
      Option.match(isDefault ? rowsOfGptApi(itsDefault) : Option.none(), {
        onNone: () => Effect.void,
        onSome: (rows) =>
          Effect.logWarning(
            "audit: ./record.db is GPT_API's and is not read; to go on with it set AUDIT_URL=sqlite:./record.db, or stop and move it to logs/record.db",
            { rows },
          ),
      }),
    ),
  )
