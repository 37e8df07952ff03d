/** What only shows when the rules of `passthrough` are seen beside the clients and what is served. */
import { servedBelow } from "../../operations/paths/ServedPaths.ts"
import type { Finding, Path } from "./Problem.ts"
import { ofProgram, type Saying, say } from "./Saying.ts"
import { below, shown, type Tree, textOf } from "./Tree.ts"

const error = (path: Path, message: Saying): Finding => ({ path, message, severity: "error", atKey: false })

const itemsAt = (root: Tree, key: string): ReadonlyArray<Tree> => {
  const list = below(root, key)
  return list?._tag === "List" ? list.items : []
}

/** All findings over the rules of a file. */
export const checkPassthrough = (root: Tree): ReadonlyArray<Finding> => {
  const clients = itemsAt(root, "openai_clients").flatMap((client) => textOf(below(client, "name")) ?? [])
  const before = new Set<string>()
  return itemsAt(root, "passthrough").flatMap((rule, position) => {
    const path = textOf(below(rule, "path"))
    const findings = [...unknownClient(rule, position, clients), ...shadows(rule, position)]
    if (path === undefined) return findings
    if (before.has(path))
      findings.push(error(["passthrough", position, "path"], say`another rule has this path`))
    before.add(path)
    return findings
  })
}

const unknownClient = (
  rule: Tree,
  position: number,
  clients: ReadonlyArray<string>,
): ReadonlyArray<Finding> => {
  const client = below(rule, "client")
  const name = textOf(client)
  if (client?._tag !== "Scalar" || name === undefined || name === "" || clients.includes(name)) return []
  return [
    error(
      ["passthrough", position, "client"],
      say`there is no client ${shown(client)} in \`openai_clients\`; name one of them`,
    ),
  ]
}

/** A rule that would hand on what is served here: it never would, since that is found first. */
const shadows = (rule: Tree, position: number): Array<Finding> => {
  const path = textOf(below(rule, "path")) ?? ""
  const served = servedBelow(path)
  if (served === undefined) return []
  const told = ofProgram(served)
  const message = served.startsWith(`${path}/`)
    ? say`${told} is served here, below this path; name the paths to hand on one by one`
    : say`${told} is served here, and cannot be handed on`
  return [error(["passthrough", position, "path"], message)]
}
