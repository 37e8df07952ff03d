/** Clients that answer at the address of a provider that is known, and whose entries lack what it asks for. */
import { parsedUrl } from "../../wire/ParsedUrl.ts"
import { holesIn, type Preset, presetCalled, presets } from "../schema/Presets.ts"
import type { Finding, Severity } from "./Problem.ts"
import { ofProgram, type Saying, say } from "./Saying.ts"
import { below, type Tree, textOf } from "./Tree.ts"

interface KnownHost {
  readonly name: string
  readonly preset: Preset
  readonly host: RegExp
}

const escaped = (text: string): string => text.replace(/[.*+?^$()|[\]\\]/g, "\\$&")

/** The host of an address; what is to be filled in may be any one name. */
const hostIn = (baseUrl: string): RegExp => {
  const host = /^https:\/\/([^/]+)/.exec(baseUrl)?.[1] ?? ""
  return new RegExp(`^${escaped(host).replace(/\{[^{}]*\}/g, "[^.]+")}$`, "i")
}

/** Those of providers: a server of one's own may be anywhere. */
const knownHosts: ReadonlyArray<KnownHost> = Object.entries(presets).flatMap(([name, preset]) =>
  preset.isServer === true ? [] : [{ name, preset, host: hostIn(preset.baseUrl) }],
)

/** In the form that others do not: how the key is sent, and with it what else the preset knows. */
const lacksPreset = (upstream: Tree, { name, preset }: KnownHost): Saying | undefined => {
  const own = presetCalled(textOf(below(upstream, "preset")))
  return preset.auth === undefined || own?.auth === preset.auth || below(upstream, "auth") !== undefined
    ? undefined
    : say`this is the address of ${ofProgram(preset.of)}; preset: ${ofProgram(name)} sends the key as ${ofProgram(preset.auth)}, and knows which dialects it speaks`
}

const lacksPath = (url: URL, { preset }: KnownHost): Saying | undefined =>
  url.pathname === "/" && holesIn(preset.baseUrl).length === 0 && new URL(preset.baseUrl).pathname !== "/"
    ? say`${ofProgram(preset.of)} answers below ${ofProgram(preset.baseUrl)}; write that`
    : undefined

/** What is worth a word about one client, by its place in the list. */
export const hostsOn = (upstream: Tree, position: number): ReadonlyArray<Finding> => {
  const address = textOf(below(upstream, "base_url"))
  const url = address === undefined ? undefined : parsedUrl(address)
  if (url === undefined) return []
  const known = knownHosts.find(({ host }) => host.test(url.host))
  if (known === undefined) return []
  const found = (severity: Severity, message: Saying | undefined): ReadonlyArray<Finding> =>
    message === undefined
      ? []
      : [{ path: ["openai_clients", position, "base_url"], message, severity, atKey: false }]
  return [...found("warning", lacksPath(url, known)), ...found("note", lacksPreset(upstream, known))]
}
