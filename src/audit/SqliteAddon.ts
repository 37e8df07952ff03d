/**
 * SQLite's native addon for the Node that runs, in place of `better-sqlite3` wherever that is imported (scripts/build.js, vitest.config.ts).
 * Version 13 comes compiled, on Node-API, and needs Node 22; version 12 compiles for Node 20, and compiled under Node 24.19 or later it aborts
 * the process when a statement is collected (nodejs/node#65446). To be deleted with the support of Node 20.
 */
import { createRequire } from "node:module"
import process from "node:process"

const require = createRequire(import.meta.url)

const major = Number(process.versions.node.split(".")[0])

const load = (name: string): unknown => {
  try {
    return require(name)
  } catch (cause) {
    throw new Error(
      `the audit's database addon ${name} does not load under Node ${process.versions.node}; install anew under this Node with "npm ci" (below Node 22 it compiles: python3, make and g++ are needed)`,
      { cause },
    )
  }
}

export default load(major < 22 ? "better-sqlite3-12" : "better-sqlite3")
