/** The shape of the house: sizes a head can hold, types that are never talked out of, names that mean one thing. */
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("../", import.meta.url))

interface File {
  readonly path: string
  readonly text: string
  readonly lines: number
  readonly source: ts.SourceFile
}

const fileOf = (path: string, text: string): File => ({
  path,
  text,
  lines: text.split("\n").length - 1,
  source: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true),
})

const files: ReadonlyArray<File> = readdirSync(`${root}src`, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.(ts|js)$/.test(name))
  .map((name) => fileOf(`src/${name}`, readFileSync(`${root}src/${name}`, "utf8")))

interface Found<Node extends ts.Node = ts.Node> {
  readonly file: File
  readonly node: Node
}

/** Each node of the files, all of them unless others are given, of which something holds. */
const nodes = <Node extends ts.Node>(
  isSought: (node: ts.Node) => node is Node,
  sought: ReadonlyArray<File> = files,
): ReadonlyArray<Found<Node>> => {
  const found: Array<Found<Node>> = []
  for (const file of sought) {
    const visit = (node: ts.Node): void => {
      if (isSought(node)) found.push({ file, node })
      ts.forEachChild(node, visit)
    }
    visit(file.source)
  }
  return found
}

const lineAt = ({ source }: File, position: number): number =>
  source.getLineAndCharacterOfPosition(position).line + 1

const linesOf = ({ file, node }: Found): number => lineAt(file, node.end) - lineAt(file, node.getStart()) + 1

/** Where it stands, for whoever is to mend it. */
const placeOf = ({ file, node }: Found): string =>
  `${file.path}:${lineAt(file, node.getStart())} ${node.getText().slice(0, 60)}`

type WithBody = ts.FunctionLikeDeclaration & { readonly body: ts.Node }

const isFunction = (node: ts.Node): node is WithBody =>
  ts.isFunctionLike(node) && "body" in node && node.body !== undefined

const functions = nodes(isFunction)

/** Functions that no head holds. */
const longFunctions = (sought: ReadonlyArray<File>): ReadonlyArray<string> =>
  nodes(isFunction, sought)
    .filter((found) => linesOf(found) > 100)
    .map(placeOf)

const isNamedType = (
  node: ts.Node,
): node is ts.ClassDeclaration | ts.InterfaceDeclaration | ts.TypeAliasDeclaration =>
  ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((all, one) => all + one, 0)

describe("src", () => {
  it("has no room that holds a fifth of all lines", () => {
    const all = sum(files.map(({ lines }) => lines))
    const rooms = new Map<string, number>()
    for (const { lines, path } of files) {
      const [, room = ""] = path.split("/")
      rooms.set(room, (rooms.get(room) ?? 0) + lines)
    }
    expect(rooms.size).toBeGreaterThan(10)
    expect([...rooms].filter(([, lines]) => lines >= all / 5)).toEqual([])
  })

  it("has no file of more than 400 lines", () => {
    expect(files.filter(({ lines }) => lines > 400).map(({ lines, path }) => `${path}: ${lines}`)).toEqual([])
  })

  it("has functions of which half are shorter than ten lines", () => {
    const lengths = functions.map(linesOf).toSorted((one, other) => one - other)
    expect(lengths.length).toBeGreaterThan(1000)
    expect(lengths[lengths.length >> 1]).toBeLessThan(10)
  })

  it("has no function of more than a hundred lines", () => {
    expect(longFunctions(files)).toEqual([])
    const planted = (lines: number) =>
      fileOf(
        "src/Planted.ts",
        `/** Planted. */\nexport const planted = () => {\n${"  f()\n".repeat(lines - 2)}}\n`,
      )
    expect(longFunctions([planted(100)])).toEqual([])
    expect(longFunctions([planted(101)])).toEqual([expect.stringMatching(/^src\/Planted\.ts:2 \(\) => /)])
  })

  it("has no constructor of more than four parameters", () => {
    const constructors = nodes(ts.isConstructorDeclaration)
    expect(constructors.length).toBeGreaterThan(20)
    expect(constructors.filter(({ node }) => node.parameters.length > 4).map(placeOf)).toEqual([])
  })

  it("casts nothing, knows no any and insists on nothing", () => {
    const isConst = (type: ts.TypeNode): boolean => type.getText() === "const"
    const casts = nodes(
      (node): node is ts.Node =>
        (ts.isAsExpression(node) && !isConst(node.type)) ||
        ts.isTypeAssertionExpression(node) ||
        ts.isNonNullExpression(node) ||
        node.kind === ts.SyntaxKind.AnyKeyword ||
        ((ts.isPropertyDeclaration(node) || ts.isVariableDeclaration(node)) &&
          node.exclamationToken !== undefined),
    )
    expect(casts.map(placeOf)).toEqual([])
  })

  it("gives each type that others import a name of its own", () => {
    const files = new Map<string, Array<string>>()
    for (const { file, node } of nodes(isNamedType)) {
      const isExported = node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false
      const name = node.name?.text ?? ""
      if (isExported) files.set(name, [...(files.get(name) ?? []), file.path])
    }
    expect(files.size).toBeGreaterThan(100)
    expect([...files].filter(([, paths]) => paths.length > 1)).toEqual([])
  })

  it("silences no check", () => {
    const silencing = /biome-ignore|@ts-(?:expect-error|ignore|nocheck)|@effect-diagnostics/
    expect(files.filter(({ text }) => silencing.test(text)).map(({ path }) => path)).toEqual([])
  })

  it("makes memory that threads share in one place, which has the engine let go of it", () => {
    const made = nodes(ts.isNewExpression).filter(
      ({ node }) => node.expression.getText() === "SharedArrayBuffer",
    )
    expect(made.map(({ file }) => file.path)).toEqual(["src/wire/SharedBytes.ts"])
  })

  it("opens each file with a sentence on it", () => {
    // Directly above imports; apart from what follows where there are none, since it is on the file.
    const opening = /^(?:#!.*\n)?\/\*\*(?:[^*]|\*(?!\/))+\*\/\n(?:(?=import |export .* from ")|\n(?!import ))/
    expect(files.filter(({ text }) => !opening.test(text)).map(({ path }) => path)).toEqual([])
  })
})
