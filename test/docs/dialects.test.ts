/** The tables of docs/dialects.md say what the forms do. `UPDATE_DIALECTS=1` writes them there. */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { dialectTables } from "../dialects/DialectTables.ts"

const path = fileURLToPath(new URL("../../docs/dialects.md", import.meta.url))

const page = readFileSync(path, "utf8")

const tables = dialectTables()

const placeOf = (name: string): RegExp =>
  new RegExp(`(<!-- table: ${name} -->\n)([\\s\\S]*?)(\n<!-- end -->)`)

const written = [...tables].reduce(
  (text, [name, table]) =>
    text.replace(placeOf(name), (_, begin: string, __, end: string) => begin + table + end),
  page,
)

describe("docs/dialects.md", () => {
  it("has a place for each table, and no other", () => {
    const places = [...page.matchAll(/<!-- table: (.*?) -->/g)].map(([, name]) => name)
    expect(places.toSorted()).toEqual([...tables.keys()].toSorted())
  })

  it("says what is done: `npm run dialects` writes it", () => {
    if (process.env["UPDATE_DIALECTS"] === "1") writeFileSync(path, written)
    expect(readFileSync(path, "utf8")).toBe(written)
  })
})
