/**
 * The program of the audit's threads, an entry of its own for the bundler: one thread writes as long as the gateway runs, another
 * is started when months are to be moved and ends with that.
 */
import { parentPort, workerData } from "node:worker_threads"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { auditFiles } from "../AuditUrl.ts"
import type { RotationReport, WriteReport } from "../AuditWriter.ts"
import { type Parcel, unpack } from "../queue/Parcel.ts"
import { isRotationDue, rotate } from "./Archive.ts"
import { makeStore } from "./Store.ts"

/** What a thread is started for. */
export type ThreadTask =
  | { readonly kind: "write"; readonly database: string }
  | {
      readonly kind: "rotate"
      readonly database: string
      readonly now: number
      readonly retentionMonths: number
    }

/** What the writing thread is asked, each question answered once and in order. */
export type ThreadQuestion =
  | { readonly kind: "write"; readonly parcel: Parcel }
  | { readonly kind: "drain" }
  | { readonly kind: "look"; readonly now: number; readonly retentionMonths: number }
  | { readonly kind: "close" }

export type ThreadAnswer =
  | { readonly kind: "report"; readonly report: WriteReport }
  | { readonly kind: "looked"; readonly isRotationDue: boolean }
  | { readonly kind: "rotated"; readonly report: RotationReport }
  | { readonly kind: "closed" }

const run = <A>(effect: Effect.Effect<A>): Promise<A> =>
  Effect.runPromise(Effect.withTracerEnabled(effect, false))

const port = parentPort

const write = async (database: string): Promise<void> => {
  const scope = await run(Scope.make())
  const files = auditFiles(database)
  const store = await run(Scope.extend(makeStore(files), scope))
  const answer = async (question: ThreadQuestion): Promise<ThreadAnswer> => {
    switch (question.kind) {
      case "write":
        return { kind: "report", report: await run(store.write(unpack(question.parcel))) }
      case "drain":
        return { kind: "report", report: await run(store.drain) }
      case "look":
        return {
          kind: "looked",
          isRotationDue: await run(isRotationDue(files, question.now, question.retentionMonths)),
        }
      case "close":
        await run(Scope.close(scope, Exit.void))
        return { kind: "closed" }
    }
  }
  let last: Promise<void> = Promise.resolve()
  port?.on("message", (question: ThreadQuestion) => {
    last = last.then(async () => {
      port.postMessage(await answer(question))
      if (question.kind === "close") port.close()
    })
  })
}

const main = async (task: ThreadTask): Promise<void> => {
  if (task.kind === "write") return await write(task.database)
  const report = await run(rotate(auditFiles(task.database), task.now, task.retentionMonths))
  port?.postMessage({ kind: "rotated", report } satisfies ThreadAnswer)
}

void main(workerData)
