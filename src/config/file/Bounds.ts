/** What a text would cost to be read as YAML, seen in one pass before it is: the library's time grows with what stands in it, not with its length. */
import { type Saying, say } from "./Saying.ts"

/** What may begin or end a value: thousands of upstreams have fewer. Tests count what happens at this bound, not how long it takes. */
const mostMarks = 100_000

/** More open brackets than closed ones: no value nests so deep, and the library calls itself for each. */
const mostOpen = 1_000

/** Brackets, commas, colons, dashes, question marks, anchors, aliases, tags and line ends. */
const marks: ReadonlySet<number> = new Set(Array.from("[]{},:-?&*!\n", (mark) => mark.charCodeAt(0)))

const opening: ReadonlySet<number> = new Set(Array.from("[{", (mark) => mark.charCodeAt(0)))
const closing: ReadonlySet<number> = new Set(Array.from("]}", (mark) => mark.charCodeAt(0)))

/** Where a text becomes too much, and what is said of that. */
export interface TooMuch {
  readonly offset: number
  readonly message: Saying
}

/** What is too much in a text, if anything is. */
export const tooMuchIn = (source: string): TooMuch | undefined => {
  let seen = 0
  let open = 0
  for (let offset = 0; offset < source.length; offset++) {
    const code = source.charCodeAt(offset)
    if (!marks.has(code)) continue
    if (++seen > mostMarks) {
      const message = say`the file has more than ${mostMarks} keys, values and lines, which no configuration has`
      return { offset, message }
    }
    if (opening.has(code)) open++
    else if (closing.has(code)) open--
    if (open > mostOpen) return { offset, message: say`this nests too deeply` }
  }
  return undefined
}
