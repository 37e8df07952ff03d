/**
 * A small process to be killed: records requests as fast as asked for, and says of each when it was finished.
 *
 * Arguments: `AUDIT_URL`, the bundled thread's URL, a prefix for ids, records a second.
 */
import { writeSync } from "node:fs"
import * as Effect from "effect/Effect"
import { Audit } from "../../src/audit/Audit.ts"
import { layer } from "../../src/audit/AuditLayer.ts"
import { defaultLimits } from "../../src/audit/queue/AuditQueue.ts"
import { fullPolicy, sampleRecord } from "./AuditRecords.ts"

const [, , url = "", thread = "", prefix = "", rate = "1000"] = process.argv

const tickMs = 5
const perTick = Math.ceil((Number(rate) * tickMs) / 1000)

const program = Effect.gen(function* () {
  const audit = yield* Audit
  for (let count = 0; ; ) {
    const said: Array<string> = []
    for (let at = 0; at < perTick; at++, count++) {
      const id = `${prefix}-${count}`
      audit.record(sampleRecord(id, { startedAt: Date.now() }))
      said.push(`${id} ${Date.now()}\n`)
    }
    writeSync(1, said.join(""))
    yield* Effect.sleep(tickMs)
  }
})

await Effect.runPromise(
  program.pipe(
    Effect.provide(layer({ url, policy: () => fullPolicy, limits: defaultLimits }, new URL(thread))),
  ),
)
