/** The gateway as a whole: usage, upstreams, plans, the configuration, and how it is. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { AuditReading } from "../audit/read/AuditReading.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import { Fleet } from "../processes/Fleet.ts"
import { fleetStatus, healthQuestion, healthTold } from "../processes/ProcessHealth.ts"
import { version } from "../version.ts"
import { CallersPort, ownPortHeader } from "./AdminQuestion.ts"
import { attemptsQuestion } from "./AttemptWatch.ts"
import { AdminApi } from "./api/AdminApi.ts"
import { configTold } from "./ConfigTold.ts"
import { connectTold } from "./ConnectTold.ts"
import { planAsked } from "./PlanAsked.ts"
import { refused, unread } from "./RequestHandlers.ts"
import { upstreamsTold } from "./UpstreamsTold.ts"
import { usageAsked, usageTold } from "./UsageTold.ts"

export const overviewHandlers = HttpApiBuilder.group(AdminApi, "overview", (handlers) =>
  Effect.gen(function* () {
    const reading = yield* AuditReading
    const fleet = yield* Fleet
    const config = yield* CurrentConfig
    const callersPort = yield* CallersPort
    const status = Effect.flatMap(fleet.ask(healthQuestion), (answers) => {
      const found = fleetStatus(answers)
      return found === undefined
        ? Effect.dieMessage("this process did not say how it is")
        : Effect.succeed(found)
    })
    return handlers
      .handle("usage", ({ urlParams }) =>
        Effect.gen(function* () {
          const asked = yield* Effect.mapError(usageAsked(urlParams, yield* Clock.currentTimeMillis), refused)
          const { answer, leftOut } = yield* Effect.mapError(reading.report(asked), unread)
          return usageTold(asked, answer, leftOut)
        }),
      )
      .handle("upstreams", () =>
        Effect.gen(function* () {
          const counts = yield* fleet.ask(attemptsQuestion)
          return upstreamsTold(config.snapshot().routes.byName.values(), yield* status, counts)
        }),
      )
      .handle("explain", ({ urlParams }) =>
        Effect.flatMap(status, ({ health }) =>
          Effect.mapError(planAsked(config.snapshot(), urlParams, health.upstreams), refused),
        ),
      )
      .handle("config", () =>
        Effect.zipWith(config.status, config.told, (now, told) => configTold(config.snapshot(), now, told)),
      )
      .handle("connect", ({ request }) =>
        Effect.sync(() =>
          connectTold(config.snapshot(), callersPort, request.headers[ownPortHeader] !== undefined),
        ),
      )
      .handle("health", () =>
        Effect.zipWith(status, Clock.currentTimeMillis, (found, now) =>
          healthTold(found, { detail: "verbose", version, now }),
        ),
      )
  }),
)
