/** docs/endpoints.md has every endpoint that is served, at all of its paths, and every name that the audit has for one. */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { operationsByName } from "../../src/operations/Operations.ts"
import { toldAs } from "../../src/operations/paths/Spellings.ts"

const page = readFileSync(new URL("../../docs/endpoints.md", import.meta.url), "utf8")

/** What stands in code quotes. */
const quoted = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/`([^`]+)`/g), ([, code = ""]) => code)

/** The cells of each row of the table whose head begins with this cell. */
const rowsOf = (head: string): ReadonlyArray<ReadonlyArray<string>> => {
  const [, rows = ""] = new RegExp(`^\\| ${head} \\|.*\\n\\|[-|]+\\n((?:\\|.*\\n)+)`, "m").exec(page) ?? []
  return rows
    .trim()
    .split("\n")
    .map((row) =>
      row
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    )
}

const all = Object.values(operationsByName)

const told = all.map(
  ({ method, paths }) => `${method} ${paths.map((path) => `\`${toldAs(path)}\``).join(", ")}`,
)

describe("docs/endpoints.md", () => {
  it("has each operation with its method and all its paths, and nothing else but the models", () => {
    const listed = rowsOf("endpoint")
      .map(([endpoint]) => endpoint ?? "")
      .filter((endpoint) => /^[A-Z]+ /.test(endpoint))
    expect([...listed].sort()).toEqual([...told, "GET `/v1/models`", "GET `/v1/models/{id}`"].sort())
  })

  it("says what the audit keeps of each", () => {
    const kept = rowsOf("endpoint \\| name in the audit").flatMap(([, names = ""]) => quoted(names))
    expect([...kept].sort()).toEqual([...all.map(({ name }) => name), "models", "passthrough"].sort())
  })

  it("tells of each below a heading", () => {
    const [, ...sections] = page.split(/^## /m)
    const words = sections.slice(2).join("")
    expect(all.flatMap(({ paths }) => paths.map(toldAs)).filter((path) => !words.includes(path))).toEqual([])
  })
})
