/** Reading JSON that may be anything: what is not as expected is as if it were not there. */

export type Loose = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const objectOf = (value: unknown): Loose => (isObject(value) ? value : {})

export const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

export const objectsOf = (value: unknown): ReadonlyArray<Loose> => listOf(value).filter(isObject)

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

/** A value as text: itself where it is one, else its JSON, indented. */
export const shownOf = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value, undefined, 2)

/** JSON in a text, indented; any other text as it is. */
export const indented = (text: string): string => {
  const value = parsed(text)
  return value === undefined ? text : shownOf(value)
}

/** The value of a JSON text; nothing where it is none, as a body that was cut. */
export const parsed = (text: string): unknown => {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}
