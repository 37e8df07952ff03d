/** What people read about the endpoints, generated from the table of operations: the tables of README.md and docs/audit.md. */
import { type ServedOperation, servedOperations } from "./Operations.ts"
import { toldAs } from "./paths/Spellings.ts"

const code = (text: string): string => `\`${text}\``

const aboutWithAliases = ({ about, paths: [, ...aliases] }: ServedOperation): string =>
  aliases.length === 0 ? about : `${about}; also at ${aliases.map((path) => code(toldAs(path))).join(", ")}`

/** What is served beside operations. */
const own: ReadonlyArray<readonly [path: string, about: string]> = [
  [
    "/v1/models",
    "all models your providers list and `model_match` lets through, and the `exact` names of your configuration; cached per key. No host holds it up for more than 3 s",
  ],
  ["/v1/models/{id}", "one of them; the id may hold slashes"],
  ["/health", "version, uptime, the configuration in force and what is wrong with its file"],
  ["/metrics", "what is measured, for Prometheus; for operators"],
  ["/livez", "200 while the process serves"],
  ["/readyz", "200, or 503 while it drains"],
]

const rows: ReadonlyArray<readonly [method: string, path: string, about: string]> = [
  ...servedOperations.map(
    (operation) => [operation.method, toldAs(operation.paths[0]), aboutWithAliases(operation)] as const,
  ),
  ...own.map(([path, about]) => ["GET", path, about] as const),
]

const endpoints = [
  "| method | path | what it does |",
  "|---|---|---|",
  ...rows.map(([method, path, about]) => `| ${method} | ${code(path)} | ${about} |`),
].join("\n")

const names = [...servedOperations.map(({ name }) => name), "models", "passthrough"].map(code)

/** README.md with its table of endpoints. */
export const withEndpoints = (readme: string): string =>
  readme.replace(/^\| method \| path \|.*\n(?:\|.*\n)*/m, () => `${endpoints}\n`)

/** docs/audit.md with the names that its column `endpoint` may have. */
export const withEndpointNames = (audit: string): string =>
  audit.replace(
    /^\| `endpoint` \|.*$/m,
    () => `| \`endpoint\` | ${names.slice(0, -1).join(", ")} or ${names.at(-1)} |`,
  )
