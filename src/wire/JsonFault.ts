/**
 * Finds where a text stops being JSON, because the messages of `JSON.parse` name a place only sometimes and quote the body instead.
 * Runs only for text that failed to parse, and walks without recursion. The grammar is RFC 8259's.
 */

type Expected = "value" | "value or ]" | "name" | "name or }" | ":" | "what follows a value"

interface Scanned {
  readonly at: number
  readonly valid: boolean
}

const hexDigits = /^[0-9a-fA-F]{4}$/

/** Walks the string that opens at `start`: to behind its closing quote, or to the character at fault. */
const scanString = (text: string, start: number): Scanned => {
  let at = start + 1
  while (at < text.length) {
    const character = text.charAt(at)
    if (character === '"') return { at: at + 1, valid: true }
    if (character < " ") return { at, valid: false }
    if (character !== "\\") {
      at++
    } else if (text.charAt(at + 1) === "u") {
      if (!hexDigits.test(text.slice(at + 2, at + 6))) return { at, valid: false }
      at += 6
    } else {
      if (at + 1 >= text.length || !'"\\/bfnrt'.includes(text.charAt(at + 1))) return { at, valid: false }
      at += 2
    }
  }
  return { at: text.length, valid: false }
}

/**
 * The index of the first character that no JSON text could have there, of a misspelled literal or escape its beginning (the text's
 * length where it ends too early); `undefined` for JSON.
 */
export const faultAt = (text: string): number | undefined => {
  const space = /[ \t\r\n]*/y
  const scalar = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y
  const closers: Array<"}" | "]"> = []
  let expected: Expected = "value"
  let at = 0
  for (;;) {
    space.lastIndex = at
    space.test(text)
    at = space.lastIndex
    const character = text.charAt(at)

    if (expected === "what follows a value") {
      const closer = closers.at(-1)
      if (closer === undefined) return at === text.length ? undefined : at
      if (character === closer) closers.pop()
      else if (character === ",") expected = closer === "}" ? "name" : "value"
      else return at
      at++
    } else if (expected === ":") {
      if (character !== ":") return at
      expected = "value"
      at++
    } else if (expected === "name" || expected === "name or }") {
      if (character === '"') {
        const name = scanString(text, at)
        if (!name.valid) return name.at
        expected = ":"
        at = name.at
      } else {
        if (character !== "}" || expected === "name") return at
        closers.pop()
        expected = "what follows a value"
        at++
      }
    } else if (character === "{") {
      closers.push("}")
      expected = "name or }"
      at++
    } else if (character === "[") {
      closers.push("]")
      expected = "value or ]"
      at++
    } else if (character === "]" && expected === "value or ]") {
      closers.pop()
      expected = "what follows a value"
      at++
    } else if (character === '"') {
      const string = scanString(text, at)
      if (!string.valid) return string.at
      expected = "what follows a value"
      at = string.at
    } else {
      scalar.lastIndex = at
      if (!scalar.test(text)) return at
      expected = "what follows a value"
      at = scalar.lastIndex
    }
  }
}
