/** Clients of providers that are known, by address or preset, whose entries lack what the provider asks for or say what it does not speak. */
import { dialects } from "../../routing/Dialect.ts"
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

/** By the name of the preset alone: other paths of a known host may speak others. Servers speak more with each version. */
const unspoken = (upstream: Tree, position: number, url: URL | undefined): ReadonlyArray<Finding> => {
  const preset = presetCalled(textOf(below(upstream, "preset")))
  const written = below(upstream, "dialects")
  if (preset === undefined || written?._tag !== "List") return []
  if (preset.isServer !== true && url !== undefined && !hostIn(preset.baseUrl).test(url.host)) return []
  const known: ReadonlyArray<string> = [...preset.dialects, ...(preset.speaksToo ?? [])]
  return written.items.flatMap((item, at) => {
    const said = dialects.find((dialect) => dialect === textOf(item))
    return said === undefined || known.includes(said)
      ? []
      : [
          {
            path: ["openai_clients", position, "dialects", at],
            message: say`${ofProgram(preset.of)} is not known to speak ${ofProgram(said)}, and requests in it would go there as they come; without dialects the preset's hold: ${ofProgram(preset.dialects.join(", "))}`,
            severity: preset.isServer === true ? "note" : "warning",
            atKey: false,
          },
        ]
  })
}

/** What is worth a word about one client, by its place in the list. */
export const hostsOn = (upstream: Tree, position: number): ReadonlyArray<Finding> => {
  const address = textOf(below(upstream, "base_url"))
  const url = address === undefined ? undefined : parsedUrl(address)
  const said = unspoken(upstream, position, url)
  const known = url === undefined ? undefined : knownHosts.find(({ host }) => host.test(url.host))
  if (url === undefined || known === undefined) return said
  const found = (severity: Severity, message: Saying | undefined): ReadonlyArray<Finding> =>
    message === undefined
      ? []
      : [{ path: ["openai_clients", position, "base_url"], message, severity, atKey: false }]
  return [...found("warning", lacksPath(url, known)), ...found("note", lacksPreset(upstream, known)), ...said]
}
