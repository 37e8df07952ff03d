/** Writes what is generated from the configuration's schema, the admin API, the presets and the table of operations. Run by `npm run generate`, from the root of the repository. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import { openApiText } from "../src/admin/api/OpenApiDocument.ts"
import { withPresets } from "../src/config/reference/PresetTable.ts"
import { renderJsonSchema, renderMarkdown } from "../src/config/reference/Reference.ts"
import { withEndpointNames, withEndpoints } from "../src/operations/EndpointTable.ts"
import { withMetrics } from "../src/telemetry/metrics/MetricsTable.ts"

const generate = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  yield* fs.writeFileString("config/config.schema.json", renderJsonSchema())
  yield* fs.writeFileString("docs/configuration.md", renderMarkdown())
  yield* fs.writeFileString("docs/admin-api.json", openApiText())
  for (const [path, renewed] of [
    ["README.md", withEndpoints],
    ["docs/audit.md", withEndpointNames],
    ["docs/metrics.md", withMetrics],
    ["docs/providers.md", withPresets],
  ] as const) {
    yield* fs.writeFileString(path, renewed(yield* fs.readFileString(path)))
  }
})

NodeRuntime.runMain(Effect.provide(generate, NodeFileSystem.layer))
