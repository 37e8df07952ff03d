/** What a reload changed, in words for the log: upstreams by name, never their settings. */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { KeyList } from "../file/ConfigFile.ts"
import { GatewayConfig } from "../schema/GatewayConfig.ts"

/** Names of upstreams, in the order of their configuration. */
export interface Changes {
  readonly added: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
  readonly changed: ReadonlyArray<string>
  /** What changed outside `openai_clients`: keys, such as `server.access_keys`. */
  readonly settings: ReadonlyArray<string>
  /** Nothing else, but the upstreams stand in another order. */
  readonly reordered: boolean
}

const encode = Schema.encodeEither(GatewayConfig)

const isSection = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The settings by key, those of a section by its name and theirs. */
const byKey = (settings: object): ReadonlyMap<string, unknown> =>
  new Map(
    Object.entries(settings).flatMap(([key, value]: [string, unknown]) =>
      isSection(value)
        ? Object.entries(value).map(([inner, it]): [string, string] => [
            `${key}.${inner}`,
            JSON.stringify(it),
          ])
        : [[key, JSON.stringify(value)]],
    ),
  )

/** The upstreams by name and the settings by key, each as comparable text. It holds credentials, so it never leaves this file. */
const comparable = (config: GatewayConfig) => {
  const encoded = encode(config)
  // A decoded configuration encodes; if it ever did not, every reload would count as a change of settings.
  if (Either.isLeft(encoded)) {
    return {
      upstreams: new Map<string, string>(),
      settings: new Map<string, unknown>([["settings", encoded.left]]),
    }
  }
  const { openai_clients, ...settings } = encoded.right
  return {
    upstreams: new Map(openai_clients.map((upstream) => [upstream.name, JSON.stringify(upstream)])),
    settings: byKey(settings),
  }
}

/** Compares two configurations. */
export const changesBetween = (before: GatewayConfig, after: GatewayConfig): Changes => {
  const [old, now] = [comparable(before), comparable(after)]
  const kept = [...now.upstreams].filter(([name]) => old.upstreams.has(name))
  return {
    added: [...now.upstreams.keys()].filter((name) => !old.upstreams.has(name)),
    removed: [...old.upstreams.keys()].filter((name) => !now.upstreams.has(name)),
    changed: kept.filter(([name, upstream]) => old.upstreams.get(name) !== upstream).map(([name]) => name),
    settings: [...new Set([...old.settings.keys(), ...now.settings.keys()])].filter(
      (key) => old.settings.get(key) !== now.settings.get(key),
    ),
    reordered: [...old.upstreams.keys()].join("\n") !== [...now.upstreams.keys()].join("\n"),
  }
}

type Keys = ReadonlyArray<Redacted.Redacted<string>>

const lacksSome = (before: Keys, after: Keys): boolean => {
  const kept = new Set(after.map(Redacted.value))
  return before.some((key) => !kept.has(Redacted.value(key)))
}

/** The lists that hold keys, and let in who has none where they are empty. */
export const keyListsOf = ({ admin, server }: GatewayConfig): ReadonlyArray<KeyList> => [
  ...(server.access_keys.length > 0 ? (["server.access_keys"] as const) : []),
  ...(admin.keys.length > 0 ? (["admin.keys"] as const) : []),
]

/** Whether upstreams or keys of the one are not in the other. */
export const takesAway = (before: GatewayConfig, after: GatewayConfig): boolean => {
  const names = new Set(after.openai_clients.map(({ name }) => name))
  return (
    before.openai_clients.some(({ name }) => !names.has(name)) ||
    lacksSome(before.server.access_keys, after.server.access_keys) ||
    lacksSome(before.admin.keys, after.admin.keys)
  )
}

/** Whether the two configurations mean the same. */
export const isUnchanged = (changes: Changes): boolean =>
  changes.added.length === 0 &&
  changes.removed.length === 0 &&
  changes.changed.length === 0 &&
  changes.settings.length === 0 &&
  !changes.reordered

/** `1 client added (a), 2 clients changed (b, c), server.access_keys changed`. */
export const describeChanges = (changes: Changes): string => {
  const counted = (names: ReadonlyArray<string>, what: string): ReadonlyArray<string> =>
    names.length === 0
      ? []
      : [`${names.length} client${names.length === 1 ? "" : "s"} ${what} (${names.join(", ")})`]
  const parts = [
    ...counted(changes.added, "added"),
    ...counted(changes.removed, "removed"),
    ...counted(changes.changed, "changed"),
    ...(changes.settings.length > 0 ? [`${changes.settings.join(", ")} changed`] : []),
  ]
  if (parts.length > 0) return parts.join(", ")
  return changes.reordered ? "clients reordered" : "nothing that matters changed"
}
