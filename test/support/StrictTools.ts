/** What real providers refuse of the tools that a request offers. */
import { isJsonObject } from "../../src/wire/Json.ts"

interface Offered {
  readonly name: unknown
  /** Absent of a tool that takes any text. */
  readonly schema?: unknown
}

const problemOf = ({ name, schema }: Offered, longest: number): string | undefined => {
  if (typeof name !== "string" || !/^[a-zA-Z0-9_-]+$/.test(name) || name.length > longest)
    return `${String(name)} is no name of a tool`
  return schema !== undefined && (!isJsonObject(schema) || schema["type"] !== "object")
    ? `the schema of ${name} is of no object`
    : undefined
}

/** @param longest what a name may have */
export const toolProblem = (tools: ReadonlyArray<Offered>, longest: number): string | undefined => {
  const wrong = tools.flatMap((tool) => problemOf(tool, longest) ?? [])
  const names = tools.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  return wrong[0] ?? (twice === undefined ? undefined : `there are two tools called ${String(twice)}`)
}
