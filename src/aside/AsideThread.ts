/** The program of the thread that reads heavy bodies, an entry of its own for the bundler. */
import { parentPort } from "node:worker_threads"
import type { JobAnswered, JobAsked } from "./Aside.ts"
import { type AsideJobs, asideJobs, type JobName } from "./AsideJobs.ts"

const port = parentPort

const outputOf = <N extends JobName>(name: N, input: AsideJobs[N]["input"]): AsideJobs[N]["output"] =>
  asideJobs[name](input)

/** The bytes among the members of an answer, which are handed over rather than copied; shared ones are in both threads anyway. */
const handedOver = (output: object): Array<ArrayBuffer> =>
  Object.values(output).flatMap((value: unknown) =>
    value instanceof Uint8Array &&
    value.buffer instanceof ArrayBuffer &&
    value.byteLength === value.buffer.byteLength
      ? [value.buffer]
      : [],
  )

port?.on("message", ({ input, name }: JobAsked) => {
  let answer: JobAnswered
  try {
    answer = { kind: "done", output: outputOf(name, input) }
  } catch (defect) {
    answer = {
      kind: "failed",
      detail: defect instanceof Error ? (defect.stack ?? defect.message) : String(defect),
    }
  }
  port.postMessage(answer, answer.kind === "done" ? handedOver(answer.output) : [])
})
