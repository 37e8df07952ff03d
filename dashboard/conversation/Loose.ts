/** Reading JSON that may be anything: what is not as expected is as if it were not there. */

export type Loose = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const objectOf = (value: unknown): Loose => (isObject(value) ? value : {})

export const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

export const objectsOf = (value: unknown): ReadonlyArray<Loose> => listOf(value).filter(isObject)

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

/** Nobody reads more levels than these; whoever sends them wants the page to break. */
export const mostLevels = 64

/** Whether a value has no more levels. */
const isShallow = (value: unknown, levels = mostLevels): boolean =>
  typeof value !== "object" ||
  value === null ||
  (levels > 0 && Object.values(value).every((one) => isShallow(one, levels - 1)))

/** What stands for what is not shown. */
export const tooDeep = "nested too deeply to be shown; Request and Answer have it as it came"

/** A value as text: itself where it is one, else its JSON, indented. */
export const shownOf = (value: unknown): string => {
  if (typeof value === "string") return value
  if (value === undefined) return ""
  return isShallow(value) ? JSON.stringify(value, undefined, 2) : tooDeep
}

/** JSON in a text, indented; any other text, and what is nested too deeply for that, as it is. */
export const indented = (text: string): string => {
  const value = parsed(text)
  return value === undefined || !isShallow(value) ? text : shownOf(value)
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
