/** What somebody asks about who names an endpoint: as the audit does, by its dialect, or by its path, which may be one that is handed on. */
import { allOperations, operationCalled, type ServedOperation } from "../operations/Operations.ts"
import { namedIn } from "../operations/paths/NamedPath.ts"
import { pathOf } from "../operations/paths/RequestTarget.ts"
import { spellingsOf } from "../operations/paths/Spellings.ts"
import { type PassthroughRule, passedBy } from "../routing/Passthrough.ts"

export type AskedEndpoint =
  /** `model` is the one that its path names. */
  | { readonly kind: "operation"; readonly operation: ServedOperation; readonly model: string | undefined }
  /** Asked by an id, which names its client: no plan is made. */
  | { readonly kind: "kept"; readonly operation: ServedOperation }
  /** `path` is what is asked of the client of the rule, in its place of the list. */
  | {
      readonly kind: "passed"
      readonly rule: PassthroughRule
      readonly position: number
      readonly path: string
    }
  | { readonly kind: "unclear" }
  | { readonly kind: "unknown" }

/** All that can be named. */
export const endpointNames: ReadonlyArray<string> = allOperations.map(({ name }) => name)

const byPath = (path: string): ServedOperation | undefined =>
  allOperations.find(({ paths }) => paths.some((one) => spellingsOf(one).includes(path)))

const ofOperation = (operation: ServedOperation, model?: string): AskedEndpoint =>
  operation.keptAt === undefined ? { kind: "operation", operation, model } : { kind: "kept", operation }

/** The endpoint of that name, as the gateway finds it: what is served here comes before what is handed on. */
export const endpointNamed = (name: string, rules: ReadonlyArray<PassthroughRule>): AskedEndpoint => {
  const asked = name.toLowerCase()
  const path = pathOf(name.startsWith("/") || name.includes("://") ? name : `/${name}`)
  const operation =
    operationCalled(asked) ??
    allOperations.find(({ dialect }) => dialect === asked) ??
    byPath(path.toLowerCase())
  if (operation !== undefined) return ofOperation(operation)
  const named = namedIn(path)
  const [first] = named?.operations ?? []
  if (first !== undefined) return ofOperation(first, named?.names.deployment)
  const passed = passedBy(rules, path)
  if (passed === undefined) return { kind: "unknown" }
  return passed.kind === "below"
    ? {
        kind: "passed",
        rule: passed.rule,
        position: rules.indexOf(passed.rule),
        path: passed.path,
      }
    : { kind: "unclear" }
}
