/** Tells one configuration from another, for records of requests: which of them a request was served by. */
import { createHash } from "node:crypto"
import type { Secrets } from "../secrets/Secrets.ts"
import type { GatewayConfig } from "./schema/GatewayConfig.ts"

/** Enough that no two configurations of a deployment have the same. */
const hexDigits = 12

/**
 * The beginning of SHA-256 of the decoded configuration as JSON, its defaults filled in and its secrets left out: comments, order and spelling in the
 * file do not change it, nor does a key that is replaced.
 */
export const configHash = (config: GatewayConfig, secrets: Secrets): string =>
  createHash("sha256")
    // `Redacted` stands in JSON as a fixed word.
    .update(secrets.without(JSON.stringify(config)))
    .digest("hex")
    .slice(0, hexDigits)
