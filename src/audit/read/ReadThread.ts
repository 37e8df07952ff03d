/** The program of the thread that reads the audit for whoever asks the running gateway: SQLite waits in it, and the event loop does not. */
import { parentPort, workerData } from "node:worker_threads"
import * as Effect from "effect/Effect"
import type { AuditUnreadable } from "./AuditUnreadable.ts"
import { openReader, type Reader } from "./Reader.ts"
import type { ReadAnswer, ReadQuestion, ReadSaid } from "./ReadQuestion.ts"

const answered = (reader: Reader, question: ReadQuestion): Effect.Effect<ReadAnswer, AuditUnreadable> => {
  switch (question.kind) {
    case "page":
      return Effect.map(reader.page(question.asked), (answer) => ({ kind: "page", answer }))
    case "show":
      return Effect.map(reader.called(question.id), (answer) => ({ kind: "show", answer }))
    case "report": {
      const { budgetMs, by, filters } = question.asked
      return Effect.map(
        Effect.forEach(filters, (filter) => reader.report(filter, by, budgetMs)),
        (answer) => ({ kind: "report", answer }),
      )
    }
  }
}

/** The files are opened for each question: they may have been moved, replaced or deleted since the last. */
const said = (database: string, question: ReadQuestion): Effect.Effect<ReadSaid> =>
  Effect.gen(function* () {
    const reader = yield* openReader(database)
    const answer = yield* answered(reader, question)
    return { ...answer, leftOut: reader.leftOut().map(({ message }) => message) }
  }).pipe(
    Effect.scoped,
    Effect.catchAll(({ message }) => Effect.succeed({ kind: "unreadable" as const, message })),
    Effect.withTracerEnabled(false),
  )

const listen = (database: string): void => {
  const port = parentPort
  port?.on("message", (question: ReadQuestion) => {
    void Effect.runPromise(said(database, question)).then((answer) => port.postMessage(answer))
  })
}

listen(workerData)
