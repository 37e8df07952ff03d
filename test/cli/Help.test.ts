/** The help: it fits a terminal, says all there is, and misuse is answered in the words of those who typed it. */
import { readFileSync } from "node:fs"
import * as Either from "effect/Either"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { helpOf, helpOfAll } from "../../src/cli/Help.ts"
import { parse } from "../../src/cli/Parse.ts"
import { commands } from "../../src/cli/Sluice.ts"

const environment = readFileSync(new URL("../../src/config/Environment.ts", import.meta.url), "utf8")

describe("the help", () => {
  const pages = [
    ["sluice", helpOfAll("", commands)],
    ["sluice audit", helpOfAll("audit", commands)],
    ...commands.map((command) => [command.name, helpOf(command)] as const),
  ] as const

  it.each(pages)("of %s fits a terminal of 80 columns and one screen", (_, page) => {
    const lines = page.split("\n")
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80)
    expect(lines.length).toBeLessThanOrEqual(50)
  })

  it.each(commands.map((command) => [command.name, command] as const))(
    "of %s names each option on a line of its own, and shows how it is called",
    (name, command) => {
      const lines = helpOf(command).split("\n")
      for (const option of Object.keys(command.options)) {
        expect(lines.filter((line) => new RegExp(`^  (-., |    )--${option}( |$)`).test(line))).toHaveLength(
          1,
        )
      }
      expect(command.examples.length).toBeGreaterThan(0)
      for (const example of command.examples) expect(example).toMatch(new RegExp(`^sluice ${name}( |$)`))
    },
  )

  it("of serve names every variable that is read", () => {
    const [serve = ""] = commands.filter(({ name }) => name === "serve").map(helpOf)
    const names = new Set(
      [...environment.matchAll(/"([A-Z]+(?:_[A-Z]+)+|WORKERS)"/g)].map(([, name]) => name),
    )
    expect(names.size).toBeGreaterThan(7)
    for (const name of names) expect(serve).toContain(name)
  })
})

describe("arguments", () => {
  const takes = {
    argument: { name: "MODEL", help: "the model" },
    options: {
      since: { value: "TIME", help: "" },
      limit: { short: "n", value: "COUNT", help: "" },
      follow: { short: "f", help: "" },
      "no-bodies": { help: "" },
    },
  } as const

  it.each([
    [["m"], { argument: "m" }],
    [["--since", "2h", "m"], { argument: "m", since: "2h" }],
    [["m", "--since=2h", "--since", "3h"], { argument: "m", since: "3h" }],
    [["-n5", "-f", "m"], { argument: "m", limit: "5", follow: true }],
    [["-fn", "5", "m"], { argument: "m", limit: "5", follow: true }],
    [["--no-bodies", "--", "-m"], { argument: "-m", bodiless: true }],
    [["--since", "-1", "m"], { argument: "m", since: "-1" }],
    [["--since=--x", "m"], { argument: "m", since: "--x" }],
    [["--since", "", "m"], { argument: "m", since: "" }],
  ])("%j", (args, expected) => {
    const given = Either.getOrThrow(parse(takes, args))
    if (given === "help") throw new Error("no help was asked for")
    expect({
      argument: given.argument,
      since: given.text("since"),
      limit: given.text("limit"),
      follow: given.flag("follow") || undefined,
      bodiless: given.flag("no-bodies") || undefined,
    }).toEqual({ ...expected })
  })

  it.each([
    [["m", "--sinse", "2h"], "unknown flag: --sinse; did you mean --since?"],
    [["m", "-x"], "unknown flag: -x"],
    [["m", "--__proto__"], "unknown flag: --__proto__"],
    [["m", "--constructor=x"], "unknown flag: --constructor"],
    [["m", "--since"], "--since needs a value: --since TIME"],
    [["m", "--since", "--follow"], "--since needs a value: --since TIME"],
    [["m", "-n", "-f"], "-n needs a value: -n COUNT"],
    [["m", "--follow=yes"], "--follow takes no value"],
    [[], "MODEL is missing: the model"],
    [["m", "n"], "one word too many: n"],
    [["m", "\u001b[31m"], "one word too many: \\x1b[31m"],
  ])("%j is a misuse", (args, message) => {
    expect(parse(takes, args)).toEqual(Either.left(message))
  })

  it("law: whatever is typed, --help beside it is help, and nothing throws", () => {
    const word = fc.oneof(
      fc.constantFrom("--since", "-n", "-f", "m", "-", "--x", "--since=1", "-f-"),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(word), fc.constantFrom("--help", "-h"), (before, help) => {
        const words = before.filter((one) => one !== "--")
        expect(Either.isEither(parse(takes, words))).toBe(true)
        expect(parse(takes, [...words, help])).toEqual(Either.right("help"))
      }),
    )
  })
})
