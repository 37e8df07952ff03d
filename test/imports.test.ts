/**
 * The net of `npm run lint` holds: what a stranger to the code would do wrong is planted into a copy of `src`, and the check that everybody runs finds it.
 * The table of rooms says what is, neither more nor less.
 */
import { spawnSync } from "node:child_process"
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { rooms } from "../.dependency-cruiser.js"

interface Row {
  readonly rooms?: string
  readonly edges?: string
  readonly outside?: string
  readonly computes?: Readonly<Record<string, string>>
}

interface Dependency {
  readonly module: string
  readonly resolved: string
  readonly dependencyTypes: ReadonlyArray<string>
}

interface Importing {
  readonly source: string
  readonly dependencies: ReadonlyArray<Dependency>
}

interface Cruise {
  readonly modules: ReadonlyArray<Importing>
  readonly summary: {
    readonly violations: ReadonlyArray<{ readonly from: string; readonly rule: { readonly name: string } }>
  }
}

interface Plant {
  readonly what: string
  readonly file: string
  readonly text: string
  /** The rules that find it. */
  readonly found: ReadonlyArray<string>
}

const plant = (what: string, file: string, text: string, ...found: ReadonlyArray<string>): Plant => ({
  what,
  file: `src/${file}`,
  text: `/** Planted. */\n${text}\n`,
  found: found.toSorted(),
})

const globals = "lint/style/noRestrictedGlobals"
const ambient = "plugin"

const plants: ReadonlyArray<Plant> = [
  plant(
    "a program started in a pure file",
    "wire/Spawn.ts",
    `export { spawn } from "node:child_process"`,
    "pure wire",
  ),
  plant(
    "a module of Node without its prefix",
    "wire/Bare.ts",
    `export { spawn } from "child_process"`,
    "pure wire",
  ),
  plant(
    "a name looked up in a pure file",
    "routing/Lookup.ts",
    `export { lookup } from "node:dns"`,
    "pure routing",
  ),
  plant(
    "a name looked up by promise",
    "routing/Promised.ts",
    `export { lookup } from "node:dns/promises"`,
    "pure routing",
  ),
  plant(
    "a digest where none is listed",
    "routing/Digest.ts",
    `export { createHash } from "node:crypto"`,
    "pure routing",
  ),
  plant(
    "a runtime in a pure file",
    "answer/Running.ts",
    `export { runFork } from "effect/Runtime"`,
    "pure answer",
  ),
  plant(
    "an effect in a pure file",
    "operations/Effectful.ts",
    `export { succeed } from "effect/Effect"`,
    "pure operations",
  ),
  plant(
    "the type of an effect in a pure file",
    "operations/EffectType.ts",
    `import type * as Effect from "effect/Effect"\nexport type Done = Effect.Effect<void>`,
    "pure operations",
  ),
  plant(
    "a type imported where it stands",
    "operations/InPlace.ts",
    `export type Done = import("effect/Effect").Effect<void>`,
    "pure operations",
  ),
  plant(
    "a module imported when it is needed",
    "wire/Late.ts",
    `export const late = () => import("node:os")`,
    "pure wire",
  ),
  plant("all of Effect in a pure file", "errors/Whole.ts", `export { Either } from "effect"`, "pure errors"),
  plant(
    "a parser where none is listed",
    "operations/Parsed.ts",
    `export { parse } from "yaml"`,
    "pure operations",
  ),
  plant("an edge in a pure file", "wire/Edgy.ts", `export { lift } from "./Lift.ts"`, "pure"),
  plant(
    "a room above",
    "wire/Upward.ts",
    `export type { Target } from "../routing/Upstream.ts"`,
    "room wire",
  ),
  plant(
    "a room far above",
    "routing/Top.ts",
    `export { commands } from "../cli/Sluice.ts"`,
    "pure",
    "room routing",
  ),
  plant(
    "a file of tests",
    "routing/Tested.ts",
    `export { within } from "../../test/support/Patience.ts"`,
    "pure routing",
  ),
  plant(
    "a room that no table lists",
    "budgets/Budget.ts",
    `export { clipped } from "../wire/Clipped.ts"`,
    "no room",
  ),
  plant("a room that imports nothing", "quotas/Quota.ts", "export const most = 1", "no room"),
  plant("a file of no room", "Stray.ts", `export { clipped } from "./wire/Clipped.ts"`, "no room"),
  plant(
    "a use of a file of no room",
    "gateway/Astray.ts",
    `export { clipped } from "../budgets/Budget.ts"`,
    "no room",
    "room gateway",
  ),
  plant(
    "a package that an edge has not listed",
    "http/Agent.ts",
    `export { Agent } from "undici"`,
    "edge of http",
  ),
  plant(
    "a package that is not declared",
    "http/Undeclared.ts",
    `export { pack } from "msgpackr"`,
    "declared",
    "edge of http",
  ),
  plant(
    "a package of development",
    "http/Development.ts",
    `export { build } from "esbuild"`,
    "declared",
    "edge of http",
  ),
  plant(
    "a package that is not there",
    "http/Missing.ts",
    `export * from "no-such-package"`,
    "edge of http",
    "found",
  ),
  plant(
    "a runtime where no edge has listed it",
    "cli/Forking.ts",
    `export { runFork } from "effect/Runtime"`,
    "edge of cli",
  ),
  plant("the time asked for", "routing/Now.ts", "export const now = Date.now()", ambient),
  plant(
    "the time asked for at an edge",
    "http/Now.ts",
    "export const now = (): number => Date.now()",
    ambient,
  ),
  plant("the time handed on", "routing/Handed.ts", "export const now: () => number = Date.now", ambient),
  plant("today", "routing/Today.ts", "export const today = new Date()", ambient),
  plant("the time under another name", "routing/Alias.ts", "export const { now } = Date", ambient),
  plant("chance", "routing/Chance.ts", "export const drawn = Math.random()", ambient),
  plant("chance in a list", "routing/Chances.ts", "export const drawn = [1].map(Math.random)", ambient),
  plant("the environment", "routing/Environment.ts", `export const home = process.env["HOME"]`, globals),
  plant("all that is global", "routing/Everything.ts", `export const all = globalThis`, globals),
  plant("a line on the console", "routing/Said.ts", `console.log("hello")`, globals),
  plant("a timer", "routing/Timer.ts", "export const wait = () => setTimeout(() => {}, 1)", globals),
  plant(
    "a timer at an edge that has none",
    "http/Timer.ts",
    "export const wait = () => setTimeout(() => {}, 1)",
    globals,
  ),
  plant("a task of the event loop", "routing/Task.ts", "queueMicrotask(() => {})", globals),
  plant(
    "a call over the network",
    "routing/Fetched.ts",
    `export const got = fetch("http://localhost")`,
    globals,
  ),
  plant("an unguessable name", "routing/Unguessable.ts", "export const id = crypto.randomUUID()", globals),
  plant("a clock of the process", "routing/Elapsed.ts", "export const at = performance.now()", globals),
  plant(
    "a circle of two files",
    "routing/One.ts",
    `export type { Two } from "./Two.ts"\nexport type One = 1`,
    "lint/suspicious/noImportCycles",
  ),
  plant(
    "the other half",
    "routing/Two.ts",
    `export type { One } from "./One.ts"\nexport type Two = 2`,
    "lint/suspicious/noImportCycles",
  ),

  plant(
    "values of Effect in a pure file",
    "routing/Values.ts",
    `export { right } from "effect/Either"\nexport { some } from "effect/Option"`,
  ),
  plant("a room below", "routing/Downward.ts", `export { clipped } from "../wire/Clipped.ts"`),
  plant(
    "the dates and numbers that are given",
    "routing/Given.ts",
    "export const year = (ms: number) => Math.floor(new Date(ms).getUTCFullYear())",
  ),
  plant(
    "effects and modules that an edge has listed",
    "http/Allowed.ts",
    `export { createHash } from "node:crypto"\nexport { sync } from "effect/Effect"`,
  ),
  plant("a global where it is listed", "cli/Allowed.ts", "export const pid = process.pid"),
]

const root = fileURLToPath(new URL("../", import.meta.url))
const copy = realpathSync(mkdtempSync(join(tmpdir(), "sluice-imports-")))

const run = (program: string, ...options: ReadonlyArray<string>): string => {
  const { error, stdout } = spawnSync(join(root, "node_modules/.bin", program), options, {
    cwd: copy,
    encoding: "utf8",
    maxBuffer: 100_000_000,
  })
  if (error !== undefined) throw error
  return stdout
}

/** By its path, the rules that found something in a planted file. */
const finds = new Map(plants.map(({ file }) => [file, new Set<string>()]))

/** What the files of `src` import. */
let imports: ReadonlyArray<Importing> = []

const cruise = (): void => {
  const found: Cruise = JSON.parse(run("depcruise", "--output-type", "json", "src"))
  for (const { from, rule } of found.summary.violations) finds.get(from)?.add(rule.name)
  imports = found.modules.filter(({ source }) => source.startsWith("src/") && !finds.has(source))
}

const lint = (): void => {
  const found = run("biome", "lint", "--reporter=github", "--max-diagnostics=none", ...finds.keys())
  for (const [, rule = "", file = ""] of found.matchAll(/^::error title=([^,]+),file=([^,]+),/gm)) {
    finds.get(relative(copy, file))?.add(rule)
  }
}

beforeAll(() => {
  for (const path of [
    "src",
    "test/support",
    "package.json",
    "biome.json",
    ".dependency-cruiser.js",
    "scripts/ambient.grit",
  ]) {
    cpSync(join(root, path), join(copy, path), { recursive: true })
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"))
  for (const { file, text } of plants) {
    mkdirSync(dirname(join(copy, file)), { recursive: true })
    writeFileSync(join(copy, file), text, { flag: "wx" })
  }
  cruise()
  lint()
}, 120_000)

afterAll(() => rmSync(copy, { recursive: true, force: true }))

describe("npm run lint", () => {
  it.each(plants.filter(({ found }) => found.length > 0))("finds $what", ({ file, found }) => {
    expect([...(finds.get(file) ?? [])].toSorted()).toEqual(found)
  })

  it.each(plants.filter(({ found }) => found.length === 0))("lets pass $what", ({ file }) => {
    expect([...(finds.get(file) ?? [])]).toEqual([])
  })

  it("runs both checks, with nothing left out of them", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
    expect(scripts.lint).toMatch(/^biome check --error-on-warnings \. && depcruise .*\bsrc\b/)
  })
})

describe("the table of rooms", () => {
  const table: ReadonlyArray<[string, Row]> = Object.entries(rooms)

  const words = (text = ""): ReadonlyArray<string> => text.split(/\s+/).filter((word) => word !== "")

  const roomOf = (path: string): string | undefined =>
    table
      .map(([room]) => room)
      .filter((room) => path === `src/${room}` || path.startsWith(`src/${room}/`))
      .toSorted((one, other) => other.length - one.length)[0]

  /** As the table names what is imported from outside of src. */
  const nameOf = ({ dependencyTypes, module, resolved }: Dependency): string =>
    dependencyTypes.includes("core")
      ? `node:${resolved}`
      : module.startsWith("effect/")
        ? module
        : resolved.startsWith("node_modules/") || resolved.includes("/node_modules/")
          ? module.split("/", module.startsWith("@") ? 2 : 1).join("/")
          : resolved

  const importsOf = (room: string): ReadonlyArray<Dependency> =>
    imports.filter(({ source }) => roomOf(source) === room).flatMap(({ dependencies }) => dependencies)

  const isEdge = (file: string): boolean => {
    const room = roomOf(file) ?? ""
    const { edges = "" }: Row = Object.fromEntries(table)[room] ?? {}
    return edges === "*" || words(edges).includes(file.slice(`src/${room}/`.length))
  }

  it.each(table)("grants %s nothing that it does not import", (room, row) => {
    const reached = new Set(importsOf(room).flatMap(({ resolved }) => roomOf(resolved) ?? []))
    expect(words(row.rooms).filter((other) => !reached.has(other))).toEqual([])
    const outside = new Set(importsOf(room).map(nameOf))
    const named = [row.outside, ...Object.values(row.computes ?? {})].flatMap(words)
    expect(named.filter((name) => !outside.has(name))).toEqual([])
  })

  it.each(table)("names of %s only files that are there", (room, row) => {
    const named = [...words(row.edges), ...Object.keys(row.computes ?? {})]
    expect(
      named.filter((file) => file !== "*" && file !== room && !existsSync(join(root, "src", room, file))),
    ).toEqual([])
  })

  it("calls edges all files that biome.json lets touch the machine", () => {
    const { overrides } = JSON.parse(readFileSync(join(root, "biome.json"), "utf8"))
    const [, globals]: ReadonlyArray<{ readonly includes: ReadonlyArray<string> }> = overrides
    const patterns = globals?.includes ?? []
    const matches = (pattern: string, file: string): boolean => {
      const path = pattern.replace("!", "")
      return path.endsWith("**") ? file.startsWith(path.slice(0, -2)) : file === path
    }
    const files = imports.map(({ source }) => source)
    const excepted = files.filter((file) =>
      patterns.findLast((pattern) => matches(pattern, file))?.startsWith("!"),
    )
    expect(excepted.length).toBeGreaterThan(0)
    expect(excepted.filter((file) => !isEdge(file))).toEqual([])
    expect(patterns.filter((pattern) => !files.some((file) => matches(pattern, file)))).toEqual([])
  })
})
