/** ARCHITECTURE.md shows the tree as it is, its rooms in the order of their imports, and a check for each thing that must stay true. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { rooms } from "../../.dependency-cruiser.js"

const root = fileURLToPath(new URL("../../", import.meta.url))

const page = readFileSync(`${root}ARCHITECTURE.md`, "utf8")

const sectionOf = (heading: string): string =>
  new RegExp(`^## ${heading}$(.*?)(?=^## |(?![\\s\\S]))`, "ms").exec(page)?.[1] ?? ""

const [, block = ""] = /^```text\n(.*?)^```$/ms.exec(sectionOf("The tree")) ?? []

/** The lines of the tree, each with its path from the root, or one for each of several; a line that goes on with the one before has none. */
const lines = block
  .trimEnd()
  .split("\n")
  .reduce<{ open: ReadonlyArray<string>; found: ReadonlyArray<{ path: string; told: string }> }>(
    ({ found, open }, line) => {
      const [, indent = "", names, told = ""] =
        /^( *)([\w.-]+\/?(?: [\w.-]+\/)*)(?: {2,}(.*))?$/.exec(line) ?? []
      if (names === undefined || indent.length > 8) return { found, open }
      const above = open.slice(0, indent.length / 2)
      const here = names.split(" ").map((name) => [...above, name])
      return {
        open: here.at(-1) ?? above,
        found: [...found, ...here.map((path) => ({ path: path.join(""), told }))],
      }
    },
    { found: [], open: [] },
  ).found

const listed = lines.map(({ path }) => path)

/** The rooms of `src`, and the files that stand in it itself. */
const inSrc = readdirSync(`${root}src`, { recursive: true, withFileTypes: true }).flatMap((entry) => {
  const path = `${entry.parentPath}/${entry.name}`.slice(root.length)
  return entry.isDirectory() ? [`${path}/`] : entry.parentPath === `${root}src` ? [path] : []
})

describe("The tree of ARCHITECTURE.md", () => {
  it("has all rooms of src and the files beside them, and nothing else", () => {
    expect(listed.filter((path) => /^src\/./.test(path)).sort()).toEqual(inSrc.sort())
  })

  it("has nothing beside src that is not there", () => {
    expect(listed.filter((path) => !existsSync(`${root}${path}`))).toEqual([])
  })

  it("has a sentence for each", () => {
    expect(lines.filter(({ path, told }) => path !== "src/" && told === "")).toEqual([])
  })

  it("names files that stand in the folder of their line", () => {
    const named = lines.flatMap(({ path, told }) =>
      (told.match(/\b\w+\.ts\b/g) ?? []).map((name) => `${path}${name}`),
    )
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter((path) => !existsSync(`${root}${path}`))).toEqual([])
  })

  it("shows the rooms from high to low, as imports are allowed", () => {
    const shown = listed.flatMap((path) => /^src\/([^/]+)\/?$/.exec(path)?.[1] ?? [])
    const lowToHigh = Object.keys(rooms).filter((room) => !room.includes("/"))
    expect(shown).toEqual(lowToHigh.reverse())
  })
})

describe("ARCHITECTURE.md", () => {
  it("stays under 200 lines", () => {
    expect(page.split("\n").length).toBeLessThan(200)
  })

  it("names a check for each thing that must stay true", () => {
    const invariants = sectionOf("What must stay true").split(/^- /m).slice(1)
    expect(invariants.length).toBeGreaterThan(20)
    const unchecked = invariants.filter(
      (invariant) =>
        !/\.test\.ts\)|\.dependency-cruiser|[Bb]iome|effect-language-service|compiler/.test(invariant),
    )
    expect(unchecked).toEqual([])
  })
})
