/** Clients that answer where Sluice itself listens, so that a request would come back to it: most of all vLLM, whose port is the same unless one is chosen. */
import { isLoopback } from "../../wire/HostName.ts"
import { parsedUrl } from "../../wire/ParsedUrl.ts"
import { presetCalled } from "../schema/Presets.ts"
import { addressIn } from "./AddressIn.ts"
import type { Env } from "./Expansion.ts"
import type { Finding } from "./Problem.ts"
import { ofProgram, type Saying, say } from "./Saying.ts"
import { below, type Tree, textOf } from "./Tree.ts"

const defaultPort = "8000"

/** Addresses that mean all of the machine's. */
const everywhere: ReadonlySet<string> = new Set(["", "::", "0.0.0.0"])

const portOf = ({ port, protocol }: URL): string => port || (protocol === "https:" ? "443" : "80")

/** Whether a URL leads to where the environment has Sluice listen, as far as names tell. */
const isOwn = (url: URL, env: Env): boolean => {
  const host = url.hostname.replace(/^\[|\]$/g, "")
  const listens = (env["SERVER_HOST"] ?? "").trim()
  if (portOf(url) !== (env["SERVER_PORT"]?.trim() || defaultPort)) return false
  return (
    host === listens ||
    ((everywhere.has(listens) || isLoopback(listens)) && (isLoopback(host) || everywhere.has(host)))
  )
}

const remedyFor = (upstream: Tree, port: string): Saying => {
  const preset = presetCalled(textOf(below(upstream, "preset")))
  const server = preset === undefined ? "the server" : preset.of
  return preset?.baseUrl === undefined || below(upstream, "base_url") !== undefined
    ? say`start ${ofProgram(server)} on another port, and write that in base_url`
    : say`${ofProgram(server)} and Sluice both take port ${ofProgram(port)} unless told otherwise: start it on another (\`--port 8001\`), and write base_url: http://localhost:8001/v1`
}

/** The clients of a file that are this gateway. */
export const checkOwnAddress = (root: Tree, env: Env): ReadonlyArray<Finding> => {
  const list = below(root, "openai_clients")
  if (list?._tag !== "List") return []
  return list.items.flatMap((upstream, position) => {
    const url = parsedUrl(addressIn(upstream) ?? "")
    if (url === undefined || !isOwn(url, env)) return []
    const at = below(upstream, "base_url") === undefined ? "preset" : "base_url"
    const message = say`this is Sluice's own address, so each request would come back to it; ${remedyFor(upstream, portOf(url))}`
    return [{ path: ["openai_clients", position, at], message, severity: "warning", atKey: false }]
  })
}
