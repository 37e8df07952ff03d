/**
 * Whether a key that was sent is one of those configured. They are digested when the configuration is loaded, so that thousands cost a request as much
 * as one, and nothing about one shows in how long a look-up takes: what is looked up is a digest, which nobody can steer towards another.
 */
import { hash } from "node:crypto"
import * as Redacted from "effect/Redacted"

/** Keys by their digests. */
export interface KeyRing {
  readonly digests: ReadonlySet<string>
}

/** What stands for a key on a ring. */
export const digestOf = (key: Redacted.Redacted<string>): string =>
  hash("sha256", Redacted.value(key), "base64")

/** The keys, each once. */
export const keyRing = (keys: ReadonlyArray<Redacted.Redacted<string>>): KeyRing => ({
  digests: new Set(keys.map(digestOf)),
})

/** How many keys there are. */
export const keyCount = ({ digests }: KeyRing): number => digests.size

/** Whether the key is on the ring. */
export const holdsKey = ({ digests }: KeyRing, sent: Redacted.Redacted<string>): boolean =>
  digests.has(digestOf(sent))
