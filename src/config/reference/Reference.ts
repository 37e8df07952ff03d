/** What people and editors read about the configuration, generated from its schema: config/config.schema.json and docs/configuration.md. */
import * as JSONSchema from "effect/JSONSchema"
import * as Schema from "effect/Schema"
import { stringify } from "yaml"
import { isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { GatewayConfig, leftovers } from "../schema/GatewayConfig.ts"

// JSON Schema

const schemaOfFile = (): JsonObject => {
  const generated: Json = JSON.parse(JSON.stringify(JSONSchema.make(GatewayConfig)))
  return isJsonObject(generated) ? generated : {}
}

const member = (object: JsonObject, key: string): JsonObject => {
  const value = object[key]
  return isJsonObject(value) ? value : {}
}

const objectsOf = (value: Json | undefined): ReadonlyArray<JsonObject> =>
  Array.isArray(value) ? value.filter(isJsonObject) : []

const reference = { $ref: "#/definitions/environmentReference" }

/** Numbers, booleans and words may also come out of the environment; where any text is taken, references are texts already. */
const takesNoText = (schema: JsonObject): boolean =>
  schema.type === "number" ||
  schema.type === "integer" ||
  schema.type === "boolean" ||
  Array.isArray(schema.enum) ||
  (schema.type === "string" && schema.pattern !== undefined)

const isAnnotation = (key: string): boolean =>
  key === "title" || key === "description" || key === "default" || key === "examples"

const alternativesOf = (schema: JsonObject): ReadonlyArray<JsonObject> =>
  Object.keys(schema).length === 1 && schema.anyOf !== undefined ? objectsOf(schema.anyOf) : [schema]

/** The schema with `"${VAR}"` admitted wherever it decodes. */
const admitReferences = (schema: JsonObject): JsonObject => {
  if (takesNoText(schema)) {
    const entries = Object.entries(schema)
    return {
      ...Object.fromEntries(entries.filter(([key]) => isAnnotation(key))),
      anyOf: [Object.fromEntries(entries.filter(([key]) => !isAnnotation(key))), reference],
    }
  }
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, value]): ReadonlyArray<readonly [string, Json]> => {
      if (key === "required" && Array.isArray(value) && value.length === 0) return []
      return [[key, admitBelow(key, value)]]
    }),
  )
}

const admitBelow = (key: string, value: Json): Json => {
  if (key === "anyOf") return objectsOf(value).map(admitReferences).flatMap(alternativesOf)
  if (!isJsonObject(value)) return value
  if (key === "items" || key === "additionalProperties") return admitReferences(value)
  return key === "properties"
    ? Object.fromEntries(
        Object.entries(value).map(([name, it]) => [name, isJsonObject(it) ? admitReferences(it) : it]),
      )
    : value
}

/** config.schema.json: draft 7, which yaml-language-server and most editors read. */
export const renderJsonSchema = (): string => {
  const { $schema, ...schema } = admitReferences(schemaOfFile())
  const ignored = Object.fromEntries(
    leftovers.map((key) => [
      key,
      {
        description: "A leftover of GPT_API without meaning here; ignored with a warning.",
        deprecated: true,
      },
    ]),
  )
  const file = {
    $schema: $schema ?? null,
    title: "Configuration of Sluice",
    ...schema,
    properties: { ...member(schema, "properties"), ...ignored },
    definitions: {
      environmentReference: {
        description: "A value out of the environment.",
        type: "string",
        pattern: "\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[\\s\\S]*)?\\}",
      },
    },
  }
  return `${JSON.stringify(file, null, 2)}\n`
}

// Markdown

/** The alternatives of a key without YAML's null, which every optional key takes. */
const present = (schema: JsonObject): ReadonlyArray<JsonObject> =>
  schema.anyOf === undefined || typeof schema.title === "string"
    ? [schema]
    : objectsOf(schema.anyOf)
        .filter(({ type }) => type !== "null")
        .flatMap(present)

const code = (value: Json): string => `\`${typeof value === "string" ? value : JSON.stringify(value)}\``

const typeOf = (schema: JsonObject): string => {
  if (typeof schema.title === "string") return schema.title
  const alternatives = present(schema)
  const [only] = alternatives
  if (alternatives.length > 1) return alternatives.map(typeOf).join(" or ")
  if (only === undefined) return "any value"
  if (typeof only.title === "string") return only.title
  if (Array.isArray(only.enum)) return only.enum.map(code).join(", ")
  switch (only.type) {
    case "array":
      return isJsonObject(only.items) ? `a list; each ${typeOf(only.items)}` : "a list"
    case "boolean":
      return "`true` or `false`"
    case "object":
      return "a map"
    case "string":
      return "a string"
    default:
      return `a ${String(only.type)}`
  }
}

/** The first example of a key; of a list without one, a list of its items' example. */
const exampleOf = (schema: JsonObject): Json | undefined => {
  for (const it of [schema, ...present(schema)]) {
    if (Array.isArray(it.examples)) return it.examples[0]
    const item = isJsonObject(it.items) && it.type === "array" ? exampleOf(it.items) : undefined
    if (item !== undefined) return [item]
  }
  return undefined
}

/** A value as YAML on one line. */
const inline = (value: Json): string =>
  `\`${stringify(value, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: true }).trim()}\``

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ")

interface Row {
  readonly key: string
  readonly schema: JsonObject
  readonly required: boolean
}

/** The keys below a map, those of maps in it with their whole way; a map that has an example is told as a whole. */
const rowsOf = (schema: JsonObject, above: string): ReadonlyArray<Row> =>
  present(schema).flatMap((it) =>
    Object.entries(member(it, "properties")).flatMap(([name, property]): ReadonlyArray<Row> => {
      if (!isJsonObject(property)) return []
      const key = above === "" ? name : `${above}.${name}`
      const required = Array.isArray(it.required) && it.required.includes(name)
      const below = exampleOf(property) === undefined ? rowsOf(property, key) : []
      return [{ key, schema: property, required }, ...below]
    }),
  )

const defaultOf = ({ schema, required }: Row): string =>
  required ? "required" : schema.default === undefined ? "absent" : inline(schema.default)

const table = (rows: ReadonlyArray<Row>): string =>
  [
    "| key | value | default | meaning | example |",
    "|---|---|---|---|---|",
    ...rows.map((row) => {
      const example = exampleOf(row.schema)
      const last = row.key.split(".").at(-1) ?? row.key
      return `| ${[
        `\`${row.key}\``,
        typeOf(row.schema),
        defaultOf(row),
        typeof row.schema.description === "string" ? row.schema.description : "",
        example === undefined ? "" : inline({ [last]: example }).replace(/^`\{ (.*) \}`$/, "`$1`"),
      ]
        .map(cell)
        .join(" | ")} |`
    }),
  ].join("\n")

/** What an entry of these may have is told key by key. */
const listsOfMaps: ReadonlySet<string> = new Set(["openai_clients", "passthrough"])

const sectionOf = (name: string, schema: JsonObject, required: boolean): string => {
  const items = present(schema).flatMap((it) => (isJsonObject(it.items) ? [it.items] : []))
  const rows = [schema, ...(listsOfMaps.has(name) ? items : [])].flatMap((it) => rowsOf(it, ""))
  const about = typeof schema.description === "string" ? schema.description : ""
  return rows.length === 0
    ? `### \`${name}\`\n\n${table([{ key: name, schema, required }])}`
    : `### \`${name}\`\n\n${about}\n\n${table(rows)}`
}

/** The file that says nothing but the defaults. */
const defaults = (): string => {
  const config = Schema.decodeUnknownSync(GatewayConfig)({ openai_clients: [] })
  return stringify(Schema.encodeSync(GatewayConfig)(config), { lineWidth: 100 }).trim()
}

/** docs/configuration.md. */
export const renderMarkdown = (): string => {
  const root = schemaOfFile()
  const required = Array.isArray(root.required) ? root.required : []
  const sections = Object.entries(member(root, "properties")).flatMap(([name, schema]) =>
    isJsonObject(schema) ? [sectionOf(name, schema, required.includes(name))] : [],
  )
  return `${[
    generatedNote,
    introduction,
    environment,
    "## Keys\n\nAn optional key without a value (`api_key:`) counts as absent. Unknown keys are errors, so that a typo never passes silently.",
    ...sections,
    `## All defaults\n\n\`\`\`yaml\n${defaults()}\n\`\`\``,
    references,
    checks,
    reloading,
    compatibility,
  ].join("\n\n")}\n`
}

const generatedNote =
  "<!-- Generated from src/config/schema/GatewayConfig.ts and src/config/reference/Reference.ts by `npm run generate`. -->"

const introduction = `# Configuration

Sluice reads one YAML file, \`config/config.yaml\` unless \`CONFIG_PATH\` or \`--config\` says otherwise. The smallest:

\`\`\`yaml
# yaml-language-server: $schema=config.schema.json
openai_clients:
  - name: openai
    base_url: https://api.openai.com/v1
    model_match: { type: keyword, value: [gpt] }
\`\`\`

Here a *client* is an upstream: a remote that Sluice calls. A *caller* is who calls Sluice. Without an \`api_key\`
Sluice passes on the caller's own key. \`config/example.yaml\` is a tour of every key. \`sluice check\` says what is wrong with a file.
The first line above gives completion and checks in editors that run yaml-language-server.`

const environment = `## Environment variables

They win over the file. An invalid value is an error at the start that names the variable.

| variable | default | meaning |
|---|---|---|
| \`SERVER_PORT\` | \`8000\` | port to listen on |
| \`SERVER_HOST\` | \`::\` | address to listen on; \`::\` takes IPv4 too and falls back to \`0.0.0.0\` |
| \`CONFIG_PATH\` | \`config/config.yaml\` | this file |
| \`AUDIT_URL\` | \`sqlite:./logs/record.db\` | where audit rows go; \`RECD_PATH\` is the older name and still works |
| \`LOG_LEVEL\` | \`info\` | \`trace\`, \`debug\`, \`info\`, \`warn\`, \`error\`, \`fatal\`, \`none\` |
| \`LOG_FORMAT\` | \`pretty\` on a terminal, else \`json\` | how log lines look |
| \`LOG_DIR\` | | a folder in which the log is written to files too, three a day |
| \`LOG_KEEP_DAYS\` | \`30\` | how many days of these files are kept, today included |
| \`OTEL_EXPORTER_OTLP_ENDPOINT\` | | a collector of OpenTelemetry, which is sent traces and metrics; [tracing](tracing.md#the-variables) has this and the other variables of OpenTelemetry |
| \`SHUTDOWN_DELAY_SECONDS\` | \`0\` | how long \`/readyz\` says no after SIGTERM before anything else ends |
| \`SHUTDOWN_GRACE_SECONDS\` | \`30\` | how long requests under way may take after SIGTERM |
| \`WORKERS\` | \`1\` | processes that serve; \`auto\` is one for each core. One more process, the primary, keeps them running and keeps the audit |`

const references = `## Values out of the environment

Sluice replaces \`\${NAME}\` in any string value (not in keys) by the variable's value.

- \`\${NAME:-default}\` uses the default where the variable is unset or empty, as a shell does. A default may itself hold references, and
  JSON. Braces in it must balance.
- Without a default, an unset variable is an error that names the variable, the client and the line. A variable that is set but empty
  is an empty string. For an \`api_key\` that means that Sluice passes on the caller's key, and a warning says so.
- \`$\${\` is a literal \`\${\`. Any other \`$\` stands for itself.
- Sluice takes what a variable holds as it is. It follows no references in it and reads no YAML in it.
- The result is a string. Where a key takes no string but a number or \`true\` and \`false\`, the string is read as one. So
  \`max_tokens: \${MAX_TOKENS}\` works, and \`api_key: \${KEY}\` stays a string even if the key is all digits.
- Inside \`[ ]\` and \`{ }\` YAML wants quotes around a reference: \`value: ["\${MODEL}"]\`.

Messages never show values of \`api_key\`, \`access_keys\`, \`admin.keys\`, \`headers\` and \`extra_body\`, nor anything that came out of the environment.`

const checks = `## What is checked as a whole

Sluice reports all problems at once, each as \`file:line:column path: what is wrong and what would be right\`:

- names are unique;
- a \`base_url\` is an http or https URL without credentials and fragment;
- \`model_match.value\` is not empty, and holds no empty text;
- a \`fallback\` leads somewhere: to a client's name, else as a model to a client that matches it. It is an error if it leads back to
  the same client and the same upstream model, because nothing new is ever tried. A fallback to another model of the same client is
  allowed but gives a warning, since it does not help when that client is down. Two clients that fall back to each other are fine: a plan holds each target once;
- header names and values can be sent, and are not those of the connection (\`connection\`, \`transfer-encoding\` …).

YAML anchors, aliases and merge keys (\`<<: *defaults\`) work. A file holds one document, is indented with spaces, and has no custom tags.`

const reloading = `## Changing it while Sluice runs

Sluice follows the file. Edits in place, atomic renames (most editors), a replaced symbolic link (Kubernetes' \`..data\`), deletion and
recreation all take effect within a second, and so does \`SIGHUP\`. Requests under way finish on the configuration they began with.
Where the system delivers no file events (network file systems, some bind mounts) a poll notices within 5 seconds.

A bad edit changes nothing. The last good configuration stays in force. The log says what is wrong, and so does \`/health\` in
\`config.last_error\` until the file is good again.

A change that takes clients or access keys away is in force 0.93 s after the file was last written, any other after 0.1 s. A file that is written in
several steps (\`scp\`, \`cat >\`, a slow disk) may be a good configuration in between, without the clients at its end. It is better to write
a new file beside it and to \`mv\` it into place. \`SIGHUP\` does not wait.

Where \`server.access_keys\` or \`admin.keys\` ask for keys, a file that no longer has that list is an error. It stays an error however long it lasts and whoever asks for the
reload: a missing part does not say who may come in. An empty list, \`access_keys: []\`, does.

\`sluice check\` prints every problem with its line; \`sluice check --no-env\` does so even where the variables that the file names are not set. It shows no
value that may be a secret. Like the start and each reload, it warns where clients have an \`api_key\` and callers need none,
where a key can be guessed, and where a caller's own key goes to clients at several addresses that do not say \`pass_key\`.
\`sluice check --online\` also asks each client, with its key, for its models and its dialects.

**Docker: mount the directory, not the file.** \`-v "$PWD/config.yaml:/app/config/config.yaml"\` ties the container to the file as it was.
An editor that saves by renaming puts a new file in its place, and the container never sees that one. \`-v "$PWD/config:/app/config:ro"\` works.
With a single mounted file, edit in place (\`cat new.yaml > config.yaml\`). On Kubernetes mount the ConfigMap as a directory, without
\`subPath\`: a \`subPath\` is never updated.`

const compatibility = `## Coming from GPT_API

A \`config.yaml\` written for GPT_API loads as it stands: \`api_key: ""\`, \`fallback: false\`, an absent \`priority\` (1), \`headers\`,
\`extra_body\` as a string of JSON, \`thinking_format\`. The leftovers ${leftovers.map((key) => `\`${key}\``).join(" and ")} are ignored with a warning.

What differs: \`load_balancing.strategy\` is \`random\` by default; a \`priority\` of 0 is a standby; \`fallback\` names a client first and a model
second; a mistake in the file is an error and is not skipped.`
