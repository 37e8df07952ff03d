/** Whether a key a client sent is one of the configured access keys, told in a time that does not depend on where they differ. */
import { createHash, timingSafeEqual } from "node:crypto"
import * as Redacted from "effect/Redacted"

const digest = (key: Redacted.Redacted<string>): Buffer =>
  createHash("sha256").update(Redacted.value(key)).digest()

/** Digests are of one length, and every configured key is compared whatever matched before. */
export const isAccessKey = (
  sent: Redacted.Redacted<string>,
  keys: ReadonlyArray<Redacted.Redacted<string>>,
): boolean => {
  const candidate = digest(sent)
  let found = false
  for (const key of keys) found = timingSafeEqual(candidate, digest(key)) || found
  return found
}
