import { createServer } from "node:http"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Relay } from "../../src/gateway/Relay.ts"
import { lingerForClient } from "../../src/http/Lingering.ts"
import { send } from "../../src/http/Respond.ts"
import { within } from "../support/Patience.ts"
import { head, parseAnswer, rawConnection } from "../support/RawHttp.ts"

/** A server that answers everything with this relay. */
const serving = (run: Relay<void>["run"]) =>
  Effect.acquireRelease(
    Effect.async<{ readonly port: number; readonly close: () => void }>((resume) => {
      const server = createServer((message, response) => {
        Effect.runFork(
          send(
            { status: 200, headers: {}, body: { run, cut: () => {}, ended: () => undefined } },
            { "content-type": "text/plain" },
            message,
            response,
            lingerForClient,
          ),
        )
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({ port, close: () => server.close() }))
      })
    }),
    ({ close }) => Effect.sync(close),
  )

describe("A body that comes piece by piece", () => {
  it.scopedLive("is whole for its reader, though some pieces are empty and some larger than a buffer", () =>
    Effect.gen(function* () {
      const pieces = ["one", "", "two".repeat(50_000), "", "three"]
      const { port } = yield* serving((outlet) =>
        Effect.sync(() => {
          for (const piece of pieces) outlet.write(Buffer.from(piece))
        }),
      )
      const connection = yield* rawConnection(port)
      yield* connection.send(head("GET", "/"))
      const answer = parseAnswer(
        yield* within(
          "the end",
          connection.until((soFar) => parseAnswer(soFar)?.whole === true),
        ),
      )
      expect(answer?.headers["transfer-encoding"]).toBe("chunked")
      expect(answer?.body.toString()).toBe(pieces.join(""))
    }),
  )
})
