/** Node's requests as calls: each is taken on, and answered in one fiber. */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as RuntimeFlagsPatch from "effect/RuntimeFlagsPatch"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import type { ClientCall, Served } from "../gateway/Exchange.ts"
import { accept } from "./Accept.ts"
import { Connections } from "./Connections.ts"
import { Handling, type Surroundings } from "./Handling.ts"
import { makeLingerForStranger } from "./Lingering.ts"
import { refuseHead } from "./RequestHead.ts"
import { unrecorded } from "./Unrecorded.ts"

/** Runs the fibers of requests. A histogram of the life of every fiber is left out: nobody reads it. */
const makeRunFork = Effect.withRuntimeFlagsPatch(
  FiberSet.makeRuntime(),
  RuntimeFlagsPatch.disable(RuntimeFlags.RuntimeMetrics),
)

/** Takes a call on. `target` is what the client asked for as it came. */
export type Take = (method: string, target: string, call: ClientCall, message: IncomingMessage) => Served

/** A defect in taking a call on is answered as one in answering. */
export const guarded =
  (take: Take): Take =>
  (method, target, call, message) => {
    try {
      return take(method, target, call, message)
    } catch (defect) {
      return unrecorded(call, Effect.die(defect))
    }
  }

/** Serves each request in one fiber, and interrupts it when its client leaves. Every answer names its request. */
export const makeListener = (take: Take) =>
  Effect.gen(function* () {
    const { snapshot } = yield* CurrentConfig
    const connections = yield* Connections
    const clock = yield* Effect.clock
    const runFork = yield* makeRunFork
    const surroundings: Surroundings = {
      fork: (effect) => runFork(effect),
      forkAnswer: (answer, send) => runFork(Effect.flatMap(answer, send)),
      snapshot,
      lingerForStranger: makeLingerForStranger(),
      onDefect: (id, defect) =>
        void runFork(Effect.logError("a request could not be closed", { id }, defect)),
    }

    /** One function for all answers, which finds whose it is. */
    function onFinish(this: ServerResponse) {
      connections.sent(this)
    }

    const listener: RequestListener = (message, response) => {
      const connection = connections.of(message.socket)
      // One that is closed already, or about to be, and had more requests in its last bytes.
      if (connection === undefined || !connection.isTaking()) return
      if (refuseHead(message, response)) {
        connection.isRefused = true
        return
      }
      const { method = "", url = "" } = message
      const now = clock.unsafeCurrentTimeMillis()
      const call = accept(message, now)
      const served = take(method, url, call, message)
      const handling = new Handling(surroundings, { connection, call, served, message, response })
      connection.usedAt = now
      if (!served.isStranger) connection.isKnown = true
      connection.add(handling)
      response.on("finish", onFinish)
      handling.start()
    }
    return listener
  })
