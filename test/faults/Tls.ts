/** The certificates of `test/fixtures/tls`. */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Certificate } from "../support/ScriptedUpstream.ts"

const fileOf = (name: string): string => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url))

/** What is to stand in `NODE_EXTRA_CA_CERTS` of who trusts them. */
export const authorityPath = fileOf("ca.pem")

export const certificate = (name: "valid" | "expired" | "wrong-host" | "self-signed"): Certificate => ({
  cert: readFileSync(fileOf(`${name}.pem`), "utf8"),
  key: readFileSync(fileOf("key.pem"), "utf8"),
})
