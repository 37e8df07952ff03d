/** Where a request would go, as `sluice explain --json --running` says it, by the configuration in force. */
import * as Either from "effect/Either"
import type { Snapshot } from "../config/Snapshot.ts"
import { endpointNamed, endpointNames } from "../explain/AskedEndpoint.ts"
import { explain } from "../explain/Explain.ts"
import { passedInWords } from "../explain/ExplainPassed.ts"
import { planTold } from "../explain/PlanTold.ts"
import type { UpstreamHealth } from "../processes/ProcessHealth.ts"
import type { WrongParam } from "./TextQuery.ts"

interface Asked {
  readonly model?: string | undefined
  readonly endpoint?: string | undefined
  readonly prompt?: string | undefined
}

const wrong = (param: string, message: string): Either.Either<never, WrongParam> =>
  Either.left({ param, message })

const nowOf = (upstreams: ReadonlyArray<UpstreamHealth>) =>
  upstreams.map(({ dialects, in_flight, lacks, name, probe_at, reason, state, waiting }) => ({
    name,
    state,
    reason,
    waiting,
    dialects,
    lacks,
    probeAt: probe_at,
    inFlight: in_flight,
  }))

const given = (text: string | undefined): string | undefined => (text === "" ? undefined : text)

/** @param upstreams how all processes take them */
export const planAsked = (
  snapshot: Snapshot,
  asked: Asked,
  upstreams: ReadonlyArray<UpstreamHealth>,
): Either.Either<unknown, WrongParam> => {
  const name = given(asked.endpoint)
  const endpoint =
    name === undefined
      ? ({ kind: "operation", operation: undefined, model: undefined } as const)
      : endpointNamed(name, snapshot.passthrough)
  switch (endpoint.kind) {
    case "passed":
      return Either.right(passedInWords(name ?? "", endpoint).forMachines)
    case "kept":
      return wrong("endpoint", "it is asked by the id of a response, and goes to the client that made it")
    case "unclear":
      return wrong("endpoint", "the path could be read as another, and is refused")
    case "unknown":
      return wrong(
        "endpoint",
        `expected one of ${endpointNames.join(", ")}, or a path of a rule of passthrough`,
      )
    case "operation": {
      const model = given(asked.model) ?? endpoint.model
      if (model === undefined) return wrong("model", "say the model a caller would ask for")
      const { operation } = endpoint
      return Either.right(
        planTold(explain(snapshot, { model, operation, prompt: given(asked.prompt) }), nowOf(upstreams)),
      )
    }
  }
}
