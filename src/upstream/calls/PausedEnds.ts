/**
 * Connections that end while nobody takes what they brought. undici takes for granted that its parser is never paused then, and throws where nobody can
 * catch it: whoever answers without a length and hangs up would stop the process. All was read of a connection that ends, so going on hurries nothing.
 */
import type { Socket } from "node:net"

/** What undici parses a connection with, as far as it is told to go on. */
interface Parser {
  paused: boolean
  readonly ptr: unknown
  readonly resume: () => void
  readonly llhttp: { readonly llhttp_resume: (ptr: unknown) => void }
}

const isParser = (value: unknown): value is Parser =>
  typeof value === "object" && value !== null && "llhttp" in value && "paused" in value && "resume" in value

/** No name of undici's own leads there. */
const parserOf = (socket: Socket): Parser | undefined => {
  const key = Object.getOwnPropertySymbols(socket).find(({ description }) => description === "parser")
  const parser: unknown = key === undefined ? undefined : Reflect.get(socket, key)
  return isParser(parser) ? parser : undefined
}

/** To be called before undici listens to the connection. */
export const endUnpaused = (socket: Socket): void => {
  const readOn = (): void => {
    const parser = parserOf(socket)
    if (parser?.paused !== true || parser.ptr === null) return
    // What it holds may be whole already.
    parser.resume()
    // An answer may end with its connection: its call is told nothing more then, and it stays paused.
    if (!parser.paused || parser.ptr === null) return
    parser.llhttp.llhttp_resume(parser.ptr)
    parser.paused = false
  }
  for (const event of ["end", "error", "close"]) socket.once(event, readOn)
}
