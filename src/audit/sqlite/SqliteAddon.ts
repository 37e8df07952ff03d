/**
 * SQLite's native addon for the Node that runs, in place of `better-sqlite3` wherever that is imported (scripts/build.js, vitest.config.ts).
 * Version 13 comes compiled, on Node-API, and needs Node 22; version 12 compiles for Node 20, and compiled under Node 24.19 or later it aborts
 * the process when a statement is collected (nodejs/node#65446). To be deleted with the support of Node 20.
 *
 * It is loaded by the first database that is opened, so that what needs none works without it.
 */
import { createRequire } from "node:module"
import process from "node:process"

const require = createRequire(import.meta.url)

const major = Number(process.versions.node.split(".")[0])

const name = major < 22 ? "better-sqlite3-12" : "better-sqlite3"

type Addon = new (...args: ReadonlyArray<unknown>) => { readonly close: () => unknown }

const load = (): Addon => {
  try {
    const addon: Addon = require(name)
    // Its compiled part is not looked for before.
    new addon(":memory:").close()
    return addon
  } catch (cause) {
    throw new Error(
      `the audit's database addon ${name} does not load under Node ${process.versions.node}; install anew under this Node with "npm ci"${
        major < 22 ? ', then "npm run build", which compiles it with python3, make and g++' : ""
      }`,
      { cause },
    )
  }
}

let loaded: Addon | undefined

export default new Proxy(class {}, {
  construct: (_, args: ReadonlyArray<unknown>) => {
    loaded ??= load()
    return new loaded(...args)
  },
})
