/**
 * What each room of `src` may import: `npm run lint` fails on everything that is not named here, types counted. A room is a folder, or a file that stands
 * in `src` itself; a file belongs to the longest name that fits it. The rooms stand from low to high, and none imports one below it in this list, so that
 * they form no circle.
 *
 * - `rooms`: the other rooms it may import.
 * - `edges`: its files that carry out effects; `*` is all of them. All others are pure, a new one too: they import pure files, values of Effect
 *   and nothing else.
 * - `outside`: what its edges may import beside Effect's own modules. `effect/Runtime` is named too, since it leaves the fiber.
 * - `computes`: what a pure file may compute with: a digest, a parser.
 *
 * Which edges may use a global such as `process` is in biome.json; clock and chance are Effect's everywhere (scripts/ambient.grit).
 */
export const rooms = {
  "version.ts": { computes: { "version.ts": "package.json" } },
  terminal: {},
  runtime: {
    edges: "Signals.ts TurnScheduler.ts Uncaught.ts V8.ts",
    outside: "node:fs node:util node:v8",
  },
  wire: {
    edges: "Brotli.ts BrotliThread.ts EventSource.ts Lift.ts brotli-thread.js",
    outside: "node:fs node:module node:stream node:worker_threads node:zlib",
    computes: { "PartHead.ts": "multipasta" },
  },
  secrets: { rooms: "terminal wire" },
  routing: { rooms: "wire", computes: { "Mark.ts": "node:crypto" } },
  errors: { rooms: "secrets wire" },
  answer: { rooms: "errors routing secrets wire", edges: "EventReader.ts" },
  resume: { rooms: "answer routing wire", edges: "Resume.ts" },
  dialects: { rooms: "answer errors routing wire", computes: { "Digest.ts": "node:crypto" } },
  operations: {
    rooms: "answer dialects errors resume routing secrets wire",
    computes: { "multipart/FormCollector.ts": "node:crypto" },
  },
  access: {
    rooms: "errors routing wire",
    edges: "OpenRequests.ts Strangers.ts",
    computes: { "AccessKey.ts": "node:crypto" },
  },
  spool: { rooms: "wire", edges: "*", outside: "node:crypto node:fs/promises node:os node:path" },
  "audit/record": { rooms: "answer errors operations routing secrets wire" },
  "upstream/policy": { rooms: "audit/record errors operations routing secrets wire" },
  aside: {
    rooms: "answer errors operations routing wire",
    edges: "Aside.ts AsideThread.ts",
    outside: "node:worker_threads",
  },
  "telemetry/metrics": {
    rooms: "audit/record wire",
    edges: "Book.ts GptApiMetrics.ts Metrics.ts RequestMetrics.ts RuntimeReadings.ts",
    outside: "node:fs/promises node:perf_hooks",
  },
  telemetry: {
    rooms: "audit/record secrets terminal wire",
    edges: "AccessLog.ts DailyFile.ts FinishedRequests.ts Lines.ts Log.ts LogFiles.ts StandardOutput.ts",
    outside: "node:fs node:fs/promises node:net node:path",
  },
  "telemetry/otlp": {
    rooms: "audit/record dialects operations routing secrets telemetry telemetry/metrics version.ts wire",
    edges:
      "Export.ts Exporting.ts GenAiMetrics.ts MetricExport.ts Outbox.ts ToldOnce.ts TraceIds.ts Traces.ts UntilTheEnd.ts",
    outside: `@opentelemetry/api @opentelemetry/exporter-metrics-otlp-http @opentelemetry/exporter-metrics-otlp-proto
      @opentelemetry/exporter-trace-otlp-http @opentelemetry/exporter-trace-otlp-proto @opentelemetry/otlp-exporter-base
      @opentelemetry/resources @opentelemetry/sdk-metrics node:crypto`,
  },
  audit: {
    rooms: "answer audit/record operations secrets wire",
    edges: `Audit.ts AuditLayer.ts AuditRun.ts AuditUrl.ts AuditWriter.ts Fingerprint.ts PrivateFiles.ts queue/AuditQueue.ts queue/QueueNews.ts sqlite/Archive.ts
      sqlite/Store.ts sqlite/ThreadProgram.ts sqlite/ThreadWriter.ts sqlite/Database.ts sqlite/DatabaseFault.ts sqlite/Inherited.ts sqlite/LiveDatabase.ts sqlite/LiveRows.ts sqlite/Migration.ts
      sqlite/Spill.ts sqlite/SpillSegments.ts sqlite/SqliteAddon.ts sqlite/Unwritable.ts`,
    outside: `@effect/experimental @effect/sql-sqlite-node @effect/sql better-sqlite3
      node:crypto node:fs node:module node:path node:process node:worker_threads`,
  },
  "audit/read": {
    rooms: "audit errors",
    edges:
      "AuditReading.ts AuditSource.ts AuditUnreadable.ts Counting.ts Following.ts Pages.ts Paging.ts ReadThread.ts Reader.ts",
    outside: "@effect/experimental @effect/sql-sqlite-node @effect/sql node:fs node:path node:worker_threads",
  },
  "admin/api": {
    rooms: "version.ts",
    computes: {
      "AdminApi.ts": "@effect/platform",
      "ApiError.ts": "@effect/platform",
      "OpenApiDocument.ts": "@effect/platform",
    },
  },
  "upstream/calls": {
    rooms: "access routing upstream/policy wire",
    edges:
      "Agents.ts Connections.ts PausedEnds.ts RunningCall.ts SentBody.ts SocketFault.ts StaleConnections.ts Unpacking.ts UnsentBodies.ts Upstreams.ts WholeAnswer.ts",
    outside: "node:diagnostics_channel node:http node:net node:stream node:zlib undici",
  },
  upstream: {
    rooms:
      "access answer aside audit/record errors operations routing secrets upstream/calls upstream/policy wire",
    edges:
      "AnswerReading.ts Answered.ts Asking.ts GivingOut.ts OpenBytes.ts Reading.ts RelayedReading.ts Attempt.ts AttemptRequest.ts Attempts.ts Breakers.ts Dialects.ts GatheredAnswer.ts Hedge.ts OpenStream.ts RunAside.ts RunningAttempt.ts Slots.ts Walk.ts",
  },
  "upstream/lists": {
    rooms: "aside audit/record operations routing secrets upstream upstream/calls upstream/policy wire",
    edges: "*",
    outside: "node:crypto",
  },
  "config/schema": { rooms: "access answer operations routing secrets wire" },
  config: {
    rooms:
      "access answer audit/record config/schema operations routing secrets telemetry/metrics telemetry/otlp terminal upstream/policy wire",
    edges: `CurrentConfig.ts Environment.ts OtlpVariables.ts Variables.ts file/ConfigInvalid.ts file/ConfigText.ts reload/FollowedFile.ts reload/ReloadLog.ts
      reload/Reloading.ts reload/Watch.ts`,
    outside: "@effect/platform node:path",
    computes: {
      "ConfigHash.ts": "node:crypto",
      "MaskedText.ts": "yaml",
      "file/Syntax.ts": "yaml",
      "file/TreeReader.ts": "yaml",
      "file/YamlText.ts": "yaml",
      "reference/Reference.ts": "yaml",
    },
  },
  explain: { rooms: "config operations routing terminal" },
  gateway: {
    rooms: `access answer aside audit audit/record config errors operations resume routing secrets spool telemetry telemetry/metrics telemetry/otlp upstream upstream/calls
      upstream/lists upstream/policy wire`,
    edges: `ActiveRequests.ts Admission.ts Answers.ts AskToResume.ts BeginAtOnce.ts Exchange.ts Frame.ts Gateway.ts JsonAnswer.ts LongBodies.ts Models.ts Passage.ts Planned.ts Relay.ts
      Passthrough.ts RelayedBytes.ts Respond.ts ResponseStream.ts StreamedAnswer.ts Uploads.ts`,
  },
  processes: {
    rooms: "audit audit/record runtime",
    edges: "Fleet.ts Messages.ts Primary.ts Questions.ts WorkerProcess.ts Workers.ts",
    outside: "node:cluster",
  },
  admin: {
    rooms: `access admin/api audit audit/read audit/record config errors explain gateway processes routing telemetry version.ts wire`,
    edges: `ActiveWatch.ts AdminApp.ts AdminQuestion.ts AttemptWatch.ts ConfigTold.ts Dashboard.ts LiveAnswer.ts LiveRequests.ts OverviewHandlers.ts RequestHandlers.ts SessionHandlers.ts StreamRelay.ts`,
    outside: "@effect/platform node:crypto node:fs/promises node:zlib",
    computes: { "Session.ts": "node:crypto" },
  },
  http: {
    rooms: `access admin admin/api audit/record config errors gateway operations processes routing runtime telemetry telemetry/metrics upstream upstream/calls upstream/policy
      version.ts wire`,
    edges: "*",
    outside: "effect/RuntimeFlags node:crypto node:fs node:http node:net node:stream node:zlib",
  },
  "App.ts": {
    rooms:
      "access admin aside audit audit/read config gateway http processes spool telemetry telemetry/metrics telemetry/otlp upstream upstream/calls upstream/lists",
    edges: "*",
  },
  "cli/online": {
    rooms: "errors operations routing secrets upstream/calls upstream/policy wire",
    edges: "Online.ts",
  },
  cli: {
    rooms: `access admin admin/api App.ts audit audit/read audit/record cli/online config config/schema explain http processes runtime telemetry terminal
      upstream/calls version.ts wire`,
    edges: "*",
    outside: "@effect/platform @effect/platform-node node:cluster node:os node:util",
  },
  "main.ts": {
    rooms: "cli runtime",
    edges: "*",
    outside: "@effect/platform-node",
  },
}

/** What is computed with: no effect is run, no clock read and nothing drawn by these. */
const values = `Brand Cause Chunk Data Duration Either Exit HashMap JSONSchema LogLevel Option ParseResult Predicate Redacted Schema SchemaAST`

/** Effect's modules by which effects are run outside of a fiber. An edge that needs one names it. */
const runtimes = "ManagedRuntime Runtime RuntimeFlags"

const words = (text = "") => text.split(/\s+/).filter((word) => word !== "")

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")

/** One pattern for all these; none for none. */
const anyOf = (before, names, after) =>
  names.length === 0 ? [] : [`${before}(${names.map(escaped).join("|")})${after}`]

/** Where imports of these modules lead; those of packages to their types. */
const modulesAt = (modules) => {
  const builtin = modules.filter((name) => name.startsWith("node:"))
  const ofEffect = modules.filter((name) => name.startsWith("effect/"))
  const packages = modules.filter((name) => !builtin.includes(name) && !ofEffect.includes(name))
  return [
    ...anyOf(
      "^(node:)?",
      builtin.map((name) => name.slice("node:".length)),
      "$",
    ),
    ...anyOf(
      "node_modules/effect/dist/dts/",
      ofEffect.map((name) => name.slice("effect/".length)),
      "\\.d\\.ts$",
    ),
    ...anyOf("(^|node_modules/)(@types/)?", packages, "(/|$)"),
  ]
}

const valuesAt = modulesAt(words(values).map((name) => `effect/${name}`))

/** What every edge may import: all of Effect but what runs effects, and all of it in one. */
const effectAt = `node_modules/effect/dist/dts/(?!(index|${words(runtimes).join("|")})\\.)`

const names = Object.keys(rooms)

/** The files of a room, without those of rooms within it. */
const filesOf = (room) => {
  if (room.endsWith(".ts")) return `^src/${escaped(room)}$`
  const inner = names.filter((name) => name.startsWith(`${room}/`)).map((name) => name.slice(room.length + 1))
  return `^src/${escaped(room)}/${anyOf("(?!", inner, "/)").join("")}`
}

const fileOf = (room, file) => `^src/${file === room ? "" : `${escaped(room)}/`}${escaped(file)}$`

const edgesOf = (room) => {
  const { edges } = rooms[room]
  return edges === "*" ? [filesOf(room)] : anyOf(`^src/${escaped(room)}/`, words(edges), "$")
}

for (const [index, room] of names.entries()) {
  for (const other of words(rooms[room].rooms)) {
    if (!names.slice(0, index).includes(other))
      throw new Error(`${other} does not stand above ${room}, which imports it`)
  }
}

const forbidden = (name, comment, from, to) => ({ name, comment, severity: "error", from, to })

const ofRoom = (room) => {
  const { outside, computes = {} } = rooms[room]
  const computing = Object.keys(computes).map((file) => fileOf(room, file))
  const edges = edgesOf(room)
  return [
    forbidden(
      `room ${room}`,
      `Of other rooms, ${room} may import ${words(rooms[room].rooms).join(", ") || "none"}.`,
      { path: filesOf(room) },
      { path: "^src/", pathNot: [room, ...words(rooms[room].rooms)].map(filesOf) },
    ),
    ...(edges.length === 0
      ? []
      : [
          forbidden(
            `edge of ${room}`,
            `Beside Effect, an edge of ${room} may import ${words(outside).join(", ") || "nothing"}.`,
            { path: edges },
            { pathNot: ["^src/", effectAt, ...modulesAt(words(outside))] },
          ),
        ]),
    forbidden(
      `pure ${room}`,
      `This file is no edge of ${room}, so it is pure: of the outside it may import values of Effect.`,
      { path: filesOf(room), pathNot: [...edges, ...computing] },
      { pathNot: ["^src/", ...valuesAt] },
    ),
    ...Object.entries(computes).map(([file, modules]) =>
      forbidden(
        `pure ${room}`,
        `Beside values of Effect, this file may import ${words(modules).join(", ")}.`,
        { path: fileOf(room, file) },
        { pathNot: ["^src/", ...valuesAt, ...modulesAt(words(modules))] },
      ),
    ),
  ]
}

const edges = names.flatMap(edgesOf)

export default {
  forbidden: [
    ...names.flatMap(ofRoom),
    forbidden(
      "pure",
      "A pure file imports pure files alone. Edges are listed in .dependency-cruiser.js.",
      { path: "^src/", pathNot: edges },
      { path: edges },
    ),
    ...[
      [{ path: "^src/", pathNot: names.map(filesOf) }, {}],
      [{ path: "^src/", pathNot: names.map(filesOf), orphan: true }, {}],
      [{}, { path: "^src/", pathNot: names.map(filesOf) }],
    ].map(([from, to]) =>
      forbidden("no room", "A file of src stands in a room that .dependency-cruiser.js lists.", from, to),
    ),
    forbidden(
      "declared",
      "What is imported is declared in package.json.",
      {},
      { dependencyTypes: ["npm-no-pkg", "npm-unknown", "undetermined"] },
    ),
    forbidden(
      "declared",
      "What src imports is installed where it runs.",
      { path: "^src/" },
      { dependencyTypes: ["npm-dev"] },
    ),
    forbidden(
      "dashboard",
      "Of the server the dashboard's page may know the types of the admin API.",
      { path: "^dashboard/" },
      { path: "^src/", pathNot: "^src/admin/api/" },
    ),
    forbidden(
      "dashboard",
      "The dashboard's page takes nothing of the server with it.",
      { path: "^dashboard/" },
      { path: "^src/", dependencyTypesNot: ["type-only"] },
    ),
    forbidden(
      "dashboard",
      "Of packages, the dashboard's page may import preact and uplot.",
      { path: "^dashboard/" },
      { pathNot: ["^dashboard/", "^src/", "(^|node_modules/)(preact|uplot)(/|$)"] },
    ),
    forbidden("found", "What is imported is there.", {}, { couldNotResolve: true }),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    // A checkout of its own, with its own package.json.
    exclude: { path: "^test/clients/" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["types", "import", "node"] },
  },
}
