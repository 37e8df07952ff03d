/** HTTP/1.1 by hand over a socket: sees every byte and when it came, and can misbehave in ways no client library would. */
import { connect, type Socket } from "node:net"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import type * as Scope from "effect/Scope"

export interface RawConnection {
  readonly socket: Socket
  readonly send: (bytes: string | Buffer) => Effect.Effect<void>
  /** Everything received so far. */
  readonly received: () => Buffer
  /** Waits until what was received satisfies the predicate or the other side closed; gives what was received. */
  readonly until: (enough: (text: string) => boolean) => Effect.Effect<string>
  /** Waits for the close by the other side; gives the socket's error code, or "end" for a close in good order. */
  readonly closed: Effect.Effect<string>
}

/** A connection to a port of this machine; destroyed with the scope. */
export const rawConnection = (port: number): Effect.Effect<RawConnection, never, Scope.Scope> =>
  Effect.gen(function* () {
    const pieces: Array<Buffer> = []
    const closed = Deferred.unsafeMake<string>(FiberId.none)
    const watchers = new Set<() => void>()
    const notify = () => {
      for (const watcher of watchers) watcher()
    }
    let over = false
    const close = (how: string) => {
      over = true
      Deferred.unsafeDone(closed, Effect.succeed(how))
      notify()
    }
    const socket = yield* Effect.acquireRelease(
      Effect.async<Socket>((resume) => {
        const made = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true }, () =>
          resume(Effect.succeed(made)),
        )
        made.on("error", (error) => {
          close("code" in error ? String(error.code) : error.message)
        })
      }),
      (made) => Effect.sync(() => made.destroy()),
    )
    socket.on("data", (piece: Buffer) => {
      pieces.push(piece)
      notify()
    })
    socket.once("end", () => close("end"))
    socket.once("close", () => close("end"))
    const received = () => Buffer.concat(pieces)
    return {
      socket,
      send: (bytes) =>
        Effect.async<void>((resume) => {
          socket.write(bytes, () => resume(Effect.void))
        }),
      received,
      until: (enough) =>
        Effect.async<string>((resume) => {
          const look = () => {
            const text = received().toString("latin1")
            if (!over && !enough(text)) return
            watchers.delete(look)
            resume(Effect.succeed(text))
          }
          watchers.add(look)
          look()
          return Effect.sync(() => watchers.delete(look))
        }),
      closed: Deferred.await(closed),
    }
  })

/** The bytes of a POST of JSON, its length declared. */
export const postBytes = (
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Buffer => {
  const bytes =
    typeof body === "string" || body instanceof Uint8Array
      ? Buffer.from(body)
      : Buffer.from(JSON.stringify(body))
  return Buffer.concat([
    head("POST", path, {
      "content-type": "application/json",
      "content-length": `${bytes.length}`,
      ...headers,
    }),
    bytes,
  ])
}

/** A request's head; its host is gateway.test unless a header says another. */
export const head = (method: string, path: string, headers: Readonly<Record<string, string>> = {}): Buffer =>
  Buffer.from(
    [
      `${method} ${path} HTTP/1.1`,
      ...(headers["host"] === undefined ? ["host: gateway.test"] : []),
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      "\r\n",
    ].join("\r\n"),
    "latin1",
  )

export interface RawAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Whether the body came to its declared end. */
  readonly whole: boolean
}

const asLatin1 = (text: string) => Buffer.from(text, "latin1")

/** The first answer among received bytes: `undefined` before its head is whole. */
export const parseAnswer = (text: string): RawAnswer | undefined => {
  const end = text.indexOf("\r\n\r\n")
  if (end < 0) return undefined
  const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n")
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(":")
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  const code = Number(statusLine.split(" ")[1])
  const rest = text.slice(end + 4)
  if (code === 204 || code === 304) return { status: code, headers, body: Buffer.alloc(0), whole: true }
  if (headers["transfer-encoding"] === "chunked") return { status: code, headers, ...dechunk(rest) }
  const length = Number(headers["content-length"] ?? Number.NaN)
  return {
    status: code,
    headers,
    body: asLatin1(rest.slice(0, Number.isNaN(length) ? rest.length : length)),
    whole: rest.length >= length,
  }
}

const dechunk = (text: string): { readonly body: Buffer; readonly whole: boolean } => {
  const pieces: Array<Buffer> = []
  let at = 0
  for (;;) {
    const line = text.indexOf("\r\n", at)
    if (line < 0) return { body: Buffer.concat(pieces), whole: false }
    const size = Number.parseInt(text.slice(at, line), 16)
    if (size === 0) return { body: Buffer.concat(pieces), whole: true }
    const piece = text.slice(line + 2, line + 2 + size)
    pieces.push(asLatin1(piece))
    if (piece.length < size) return { body: Buffer.concat(pieces), whole: false }
    at = line + 2 + size + 2
  }
}

/** Sends the bytes on a connection of their own and gives the whole answer, or what came before the close. */
export const exchange = (port: number, bytes: string | Buffer): Effect.Effect<RawAnswer | undefined> =>
  Effect.scoped(
    Effect.gen(function* () {
      const connection = yield* rawConnection(port)
      yield* connection.send(bytes)
      const text = yield* connection.until((soFar) => parseAnswer(soFar)?.whole === true)
      return parseAnswer(text)
    }),
  )

/** A POST of JSON on a connection of its own. */
export const post = (
  port: number,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Effect.Effect<RawAnswer | undefined> => exchange(port, postBytes(path, body, headers))

/** A request without a body on a connection of its own. */
export const request = (
  port: number,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Effect.Effect<RawAnswer | undefined> => exchange(port, head(method, path, headers))

/** An answer's body as JSON. */
export const jsonOf = (answer: RawAnswer | undefined): unknown =>
  JSON.parse(answer?.body.toString("utf8") ?? "null")
