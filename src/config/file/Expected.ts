/** What the schema expects at a place of the file: its phrase for messages, the keys it knows, the kinds of scalars it takes. */
import * as Option from "effect/Option"
import * as AST from "effect/SchemaAST"
import { confidential } from "../schema/Values.ts"

/** The alternatives at a place, as the file writes them: transformations and filters looked through to what they begin with. */
const alternatives = (ast: AST.AST): ReadonlyArray<AST.AST> => {
  switch (ast._tag) {
    case "Transformation":
    case "Refinement":
      return alternatives(ast.from)
    case "Suspend":
      return alternatives(ast.f())
    case "Union":
      return ast.types.flatMap(alternatives)
    default:
      return [ast]
  }
}

/** What is expected below `ast` at a key or position, or `undefined` where nothing is known. */
const childOf = (ast: AST.AST, step: string | number): AST.AST | undefined => {
  for (const alternative of alternatives(ast)) {
    if (alternative._tag === "TypeLiteral" && typeof step === "string") {
      const property = alternative.propertySignatures.find(({ name }) => name === step)
      const found = property?.type ?? alternative.indexSignatures[0]?.type
      if (found !== undefined) return found
    }
    if (alternative._tag === "TupleType" && typeof step === "number") {
      const found = alternative.rest[0]?.type
      if (found !== undefined) return found
    }
  }
  return undefined
}

/** A place in the schema, walked in step with the file. */
export interface SchemaPlace {
  readonly ast: AST.AST | undefined
  /** Values here and below may be credentials. */
  readonly confidential: boolean
}

const marked = (ast: AST.AST): boolean => {
  if (ast.annotations[confidential] === true) return true
  switch (ast._tag) {
    case "Transformation":
    case "Refinement":
      return marked(ast.from)
    case "Union":
      return ast.types.some(marked)
    default:
      return false
  }
}

export const placeOf = (ast: AST.AST): SchemaPlace => ({ ast, confidential: marked(ast) })

export const descend = (place: SchemaPlace, step: string | number): SchemaPlace => {
  const ast = place.ast === undefined ? undefined : childOf(place.ast, step)
  return { ast, confidential: place.confidential || (ast !== undefined && marked(ast)) }
}

/** The kinds of scalars taken at a place. */
export const takes = (place: SchemaPlace, kind: "string" | "number" | "boolean"): boolean =>
  place.ast === undefined ||
  alternatives(place.ast).some(
    (ast) =>
      ast._tag === "UnknownKeyword" ||
      ast._tag === "Declaration" ||
      (ast._tag === "StringKeyword" && kind === "string") ||
      (ast._tag === "NumberKeyword" && kind === "number") ||
      (ast._tag === "BooleanKeyword" && kind === "boolean") ||
      (ast._tag === "Literal" && typeof ast.literal === kind),
  )

/** Whether a place is a list or a map and never a scalar. */
export const isContainer = (ast: AST.AST): boolean =>
  alternatives(ast).every((it) => it._tag === "TypeLiteral" || it._tag === "TupleType" || isAbsence(it))

/** Whether a place is a list and nothing else. */
export const isList = (ast: AST.AST): boolean =>
  alternatives(ast).some((it) => it._tag === "TupleType") &&
  alternatives(ast).every((it) => it._tag === "TupleType" || isAbsence(it))

/** The keys known of a map. */
export const keysOf = (ast: AST.AST): ReadonlyArray<string> =>
  alternatives(ast).flatMap((it) =>
    it._tag === "TypeLiteral"
      ? it.propertySignatures.flatMap(({ name }) => (typeof name === "string" ? [name] : []))
      : [],
  )

/** The keys known anywhere below. */
export const everyKey = (ast: AST.AST, seen = new Set<AST.AST>()): ReadonlyArray<string> => {
  if (seen.has(ast)) return []
  seen.add(ast)
  return alternatives(ast).flatMap((it) => {
    const below = it._tag === "TypeLiteral" ? it.propertySignatures : it._tag === "TupleType" ? it.rest : []
    return [...keysOf(it), ...below.flatMap(({ type }) => everyKey(type, seen))]
  })
}

/** The words of a closed choice. */
export const choicesOf = (ast: AST.AST): ReadonlyArray<string> =>
  alternatives(ast).flatMap((it) =>
    it._tag === "Literal" && typeof it.literal === "string" ? [it.literal] : [],
  )

/** YAML's null and an absent key: always taken where a key is optional, so no message names them. */
const isAbsence = (ast: AST.AST): boolean =>
  ast._tag === "UndefinedKeyword" || (ast._tag === "Literal" && ast.literal === null)

const titleOf = (ast: AST.AST): string | undefined => Option.getOrUndefined(AST.getTitleAnnotation(ast))

/** What is expected, in words: "a whole number from 1 to 100", "one of random, deterministic, least_connections". */
export const phraseOf = (ast: AST.AST): string => {
  switch (ast._tag) {
    case "StringKeyword":
      return "a string"
    case "NumberKeyword":
      return "a number"
    case "BooleanKeyword":
      return "true or false"
    case "Literal":
      return String(ast.literal)
    case "TypeLiteral":
      return titleOf(ast) ?? "a map"
    case "TupleType": {
      const item = ast.rest[0]?.type
      return (
        titleOf(ast) ??
        (item === undefined ? "a list" : `a list of ${choicesOf(item).join(", ") || "values"}`)
      )
    }
    case "Union": {
      const title = titleOf(ast)
      if (title !== undefined) return title
      const present = ast.types.filter((it) => !isAbsence(it))
      const words = present.every((it) => it._tag === "Literal")
      const only = present[0]
      if (present.length === 1 && only !== undefined) return phraseOf(only)
      const phrases = present.map(phraseOf)
      return words ? `one of ${phrases.join(", ")}` : phrases.join(" or ")
    }
    case "Transformation":
    case "Refinement":
      return titleOf(ast) ?? phraseOf(ast.from)
    default:
      return titleOf(ast) ?? "another value"
  }
}
