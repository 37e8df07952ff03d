/** What a reload changed, in words for the log: clients by name, never their settings. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { GatewayConfig } from "./GatewayConfig.ts"

/** Names of clients, in the order of their configuration. */
export interface Changes {
  readonly added: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
  readonly changed: ReadonlyArray<string>
  /** Anything outside `openai_clients`. */
  readonly settings: boolean
  /** Nothing else, but the clients stand in another order. */
  readonly reordered: boolean
}

const encode = Schema.encodeEither(GatewayConfig)

/** The clients by name and the rest, each as comparable text. It holds credentials, so it never leaves this file. */
const comparable = (config: GatewayConfig) => {
  const encoded = encode(config)
  // A decoded configuration encodes; if it ever did not, every reload would count as a change of settings.
  if (Either.isLeft(encoded)) return { clients: new Map<string, string>(), settings: encoded.left.issue }
  const { openai_clients, ...settings } = encoded.right
  return {
    clients: new Map(openai_clients.map((client) => [client.name, JSON.stringify(client)])),
    settings: JSON.stringify(settings),
  }
}

/** Compares two configurations. */
export const changesBetween = (before: GatewayConfig, after: GatewayConfig): Changes => {
  const [old, now] = [comparable(before), comparable(after)]
  const kept = [...now.clients].filter(([name]) => old.clients.has(name))
  return {
    added: [...now.clients.keys()].filter((name) => !old.clients.has(name)),
    removed: [...old.clients.keys()].filter((name) => !now.clients.has(name)),
    changed: kept.filter(([name, client]) => old.clients.get(name) !== client).map(([name]) => name),
    settings: old.settings !== now.settings,
    reordered: [...old.clients.keys()].join("\n") !== [...now.clients.keys()].join("\n"),
  }
}

/** Whether the two configurations mean the same. */
export const isUnchanged = (changes: Changes): boolean =>
  changes.added.length === 0 &&
  changes.removed.length === 0 &&
  changes.changed.length === 0 &&
  !changes.settings &&
  !changes.reordered

/** `1 client added (a), 2 changed (b, c), settings changed`. */
export const describeChanges = (changes: Changes): string => {
  const counted = (names: ReadonlyArray<string>, what: string): ReadonlyArray<string> =>
    names.length === 0
      ? []
      : [`${names.length} client${names.length === 1 ? "" : "s"} ${what} (${names.join(", ")})`]
  const parts = [
    ...counted(changes.added, "added"),
    ...counted(changes.removed, "removed"),
    ...counted(changes.changed, "changed"),
    ...(changes.settings ? ["settings changed"] : []),
  ]
  if (parts.length > 0) return parts.join(", ")
  return changes.reordered ? "clients reordered" : "nothing that matters changed"
}
