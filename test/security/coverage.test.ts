/** Every finding of the attack on v0.1.0 has a test that is there, or an answer in docs/security.md. */
import { existsSync, readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"

const here = new URL("./", import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, here), "utf8")

const upTo = (letter: string, last: number): ReadonlyArray<string> =>
  Array.from({ length: last }, (_, at) => `${letter}${at + 1}`)
const findings = [...upTo("H", 5), ...upTo("M", 14), ...upTo("L", 11)]

/** Of each finding, its line in the table. */
const lines = new Map(
  [...read("README.md").matchAll(/^\| ([HML]\d+) \|.*\| (.*) \|$/gm)].map(([, id = "", test = ""]) => [
    id,
    test,
  ]),
)
const answers = /^## What is not defended[\s\S]*?(?=^## )/m.exec(read("../../docs/security.md"))?.[0] ?? ""

describe("A finding", () => {
  it("has one line in the table", () => {
    expect([...lines.keys()]).toEqual(findings)
  })

  it.each(findings)("%s is found again by a test of that name, or is answered", (id) => {
    const line = lines.get(id) ?? ""
    const [, path = "", title = ""] = /^\[[\w.]+\]\(([\w./]+)\) "(.+)"$/.exec(line) ?? []
    if (line === "answered") expect(answers).toContain(`(${id})`)
    else expect([path, read(path).includes(title)]).toEqual([path, true])
  })

  it("and what held name files that are there", () => {
    for (const [, path = ""] of read("README.md").matchAll(/\]\(([\w./]+\.(?:ts|md))\)/g)) {
      expect([path, existsSync(new URL(path, here))]).toEqual([path, true])
    }
  })
})
