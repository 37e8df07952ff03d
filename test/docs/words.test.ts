/** One word per concept: each word of ARCHITECTURE.md names something in the code, and nothing there bears a name that the table rules out. */
import { readdirSync, readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")

const [, section = ""] = /^## Words$(.*?)^## /ms.exec(read("ARCHITECTURE.md")) ?? []

const rows = [...section.matchAll(/^\| (.+) \| .+ \| (.*?) ?\|$/gm)]
  .slice(1)
  .map(([, words = "", others = ""]) => ({
    words: words.split(", "),
    others: [...others.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name),
  }))

/** A name as its words, each without the `s` of many: `upstreamModels` is `upstream model`. */
const wordsOf = (name: string): string =>
  name
    .split(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+/)
    .map((word) => word.toLowerCase().replace(/(?<=[^s])s$/, ""))
    .join(" ")

/** Comments, strings, templates and regular expressions: what names nothing, but for the gaps of templates. */
const unnamed =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|(?<=[(,=:[!&|?{};\n]\s*)\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//g

const gapsOf = (text: string): string =>
  text.startsWith("`") ? [...text.matchAll(/\$\{([^}]*)\}/g)].map(([, gap = ""]) => gap).join(" ") : " "

/** The names of a program, but for those with `_`, which are columns and members of the wire: others chose them. */
const namesIn = (program: string): ReadonlyArray<string> =>
  [...program.replace(unnamed, gapsOf).matchAll(/[A-Za-z$][\w$]*/g)]
    .map(([name]) => name)
    .filter((name) => !name.includes("_"))

/** Each name of the code as its words, with the file that has it; files and folders are names too. */
const named = new Map(
  readdirSync(new URL("../../src", import.meta.url), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .flatMap((path) =>
      [...path.replace(/\.ts$/, "").split("/"), ...namesIn(read(`src/${path}`))].map((name) => [
        wordsOf(name),
        `${name} in src/${path}`,
      ]),
    ),
)
for (const name of namesIn(read(".dependency-cruiser.js")))
  named.set(wordsOf(name), `${name} in .dependency-cruiser.js`)

const namesWith = (word: string): ReadonlyArray<string> => {
  const words = ` ${wordsOf(word)} `
  return [...named].flatMap(([name, where]) => (` ${name} `.includes(words) ? [where] : []))
}

describe("The words of ARCHITECTURE.md", () => {
  it("are read from the table", () => {
    expect(rows.length).toBeGreaterThan(20)
    expect(rows.flatMap(({ others }) => others).length).toBeGreaterThan(20)
  })

  it("stand in one row each", () => {
    const all = rows.flatMap(({ others, words }) => [...words, ...others])
    expect(all.filter((word, index) => all.indexOf(word) !== index)).toEqual([])
  })

  it.each(rows.flatMap(({ words }) => words))("%s names something in the code", (word) => {
    expect(namesWith(word)).not.toEqual([])
  })

  it.each(rows.flatMap(({ others, words }) => others.map((other) => [other, words.join(", ")])))(
    "%s names nothing: see %s",
    (other) => {
      expect(namesWith(other)).toEqual([])
    },
  )
})
