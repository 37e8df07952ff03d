/**
 * An OpenAI-like upstream that does what the test says, over real sockets: answers, streams, hangs, resets, truncates, lies about
 * its length, closes idle connections. It records what arrived and tells when its caller goes away.
 */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http"
import { createServer as createTlsServer } from "node:https"
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net"
import { Worker } from "node:worker_threads"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import type * as Scope from "effect/Scope"
import {
  type CompletionOptions,
  chatChunks,
  chatCompletion,
  finishChunk,
  modelList,
  openAiError,
  type Tokens,
  textChunk,
} from "./Wire.ts"

/** A request as it arrived, complete with its body. */
export interface RecordedRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  /** Lower-case names. */
  readonly headers: IncomingMessage["headers"]
  readonly bytes: Buffer
  /** The bytes as JSON; `undefined` where they are none. */
  readonly body: unknown
  /** `performance.now()` when the body was whole. */
  readonly receivedAt: number
  /** Which connection it came on, counted from 0, and which request of that connection it is, from 0. */
  readonly connection: number
  readonly onConnection: number
  /** Completes when the caller closed the connection before the answer was whole, with `performance.now()`; else never. */
  readonly abandoned: Effect.Effect<number>
  readonly isAbandoned: () => boolean
}

/** One request together with the means to answer it. */
export interface Exchange {
  readonly request: RecordedRequest
  readonly response: ServerResponse
  readonly socket: Socket
  /** Says that the answer's end, whatever it looks like, is the script's own doing and no caller that left. */
  readonly settle: () => void
}

/** How to answer one request. */
export interface Answer {
  readonly give: (exchange: Exchange) => void
}

/** What to do with each request: always the same, or as the request says. */
export type Script = Answer | ((request: RecordedRequest) => Answer)

export interface ScriptedUpstream {
  /** With `/v1`, no trailing slash. */
  readonly url: string
  /** Without a path. */
  readonly origin: string
  /** In the order of arrival; grows. */
  readonly requests: ReadonlyArray<RecordedRequest>
  /** The `count`th request (from 1), as soon as it has arrived. */
  readonly awaitRequest: (count: number) => Effect.Effect<RecordedRequest>
  /** Connections open now. */
  readonly openConnections: () => number
  /** Replaces the script for requests yet to come. */
  readonly setScript: (script: Script) => void
}

const parse = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString("utf8"))
  } catch {
    return undefined
  }
}

const unresolved = <A>(): Deferred.Deferred<A> => Deferred.unsafeMake<A>(FiberId.none)

const resolve = <A>(deferred: Deferred.Deferred<A>, value: A): void =>
  Deferred.unsafeDone(deferred, Effect.succeed(value))

/**
 * Sends an RST. `resetAndDestroy` would send a FIN first, which a reader takes for an end in good order, so its second half is used
 * alone: `destroy` resets where this member is set.
 */
const sendReset = (socket: Socket): void => {
  Object.assign(socket, { resetAndClosing: true }).destroy()
}

/** The same once the reader will have read what was written: libuv tells a reset that comes together with data as an end. */
const sendResetLater = (socket: Socket): void => {
  setTimeout(sendReset, 20, socket)
}

const portOf = (address: string | AddressInfo | null): number =>
  address !== null && typeof address === "object" ? address.port : 0

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/**
 * Serves the script on a free port of 127.0.0.1, over TLS where it is given a certificate, until the scope closes, which also destroys
 * what is still open.
 */
export const scriptedUpstream = (
  script: Script,
  certificate?: Certificate,
): Effect.Effect<ScriptedUpstream, never, Scope.Scope> =>
  Effect.gen(function* () {
    const requests: Array<RecordedRequest> = []
    const awaited = new Map<number, Deferred.Deferred<RecordedRequest>>()
    const served = new Map<Socket, { readonly connection: number; requests: number }>()
    let connections = 0
    let current = script

    const arrived = (incoming: IncomingMessage, response: ServerResponse, bytes: Buffer) => {
      const { socket } = incoming
      const known = served.get(socket) ?? { connection: -1, requests: 0 }
      const left = unresolved<number>()
      let settled = false
      const settle = () => {
        settled = true
      }
      let abandoned = false
      const onClose = () => {
        if (settled) return
        abandoned = true
        resolve(left, performance.now())
      }
      response.once("finish", settle)
      response.on("error", () => {})
      socket.once("close", onClose)
      // A kept-alive socket serves many requests; what listened for this one has to go.
      response.once("close", () => {
        if (settled) socket.off("close", onClose)
      })
      const request: RecordedRequest = {
        method: incoming.method ?? "",
        path: incoming.url ?? "",
        headers: incoming.headers,
        bytes,
        body: parse(bytes),
        receivedAt: performance.now(),
        connection: known.connection,
        onConnection: known.requests++,
        abandoned: Deferred.await(left),
        isAbandoned: () => abandoned,
      }
      requests.push(request)
      const waiting = awaited.get(requests.length)
      if (waiting !== undefined) resolve(waiting, request)
      const answer = typeof current === "function" ? current(request) : current
      answer.give({ request, response, socket, settle })
    }

    const receive: RequestListener = (incoming, response) => {
      const pieces: Array<Buffer> = []
      incoming.on("data", (piece: Buffer) => pieces.push(piece))
      incoming.on("end", () => arrived(incoming, response, Buffer.concat(pieces)))
      incoming.on("error", () => {})
    }
    const settings = { keepAliveTimeout: 120_000, requestTimeout: 0 }
    const server =
      certificate === undefined
        ? createServer(settings, receive)
        : createTlsServer({ ...settings, ...certificate }, receive)
    server.on(certificate === undefined ? "connection" : "secureConnection", (socket: Socket) => {
      served.set(socket, { connection: connections++, requests: 0 })
      socket.setNoDelay(true)
      socket.on("error", () => {})
      socket.once("close", () => served.delete(socket))
    })
    server.on("clientError", (_error, socket) => socket.destroy())

    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          for (const socket of served.keys()) socket.destroy()
        }),
    )
    const protocol = certificate === undefined ? "http" : "https"
    const origin = `${protocol}://127.0.0.1:${portOf(server.address())}`
    return {
      url: `${origin}/v1`,
      origin,
      requests,
      awaitRequest: (count) =>
        Effect.suspend(() => {
          const there = requests[count - 1]
          if (there !== undefined) return Effect.succeed(there)
          const waiting = awaited.get(count) ?? unresolved<RecordedRequest>()
          awaited.set(count, waiting)
          return Deferred.await(waiting)
        }),
      openConnections: () => served.size,
      setScript: (next) => {
        current = next
      },
    }
  })

/** An answer with its status, headers and body; a body that is not a string or bytes is sent as JSON. */
export const status = (
  code: number,
  body: unknown = openAiError(`scripted ${code}`),
  headers: Readonly<Record<string, string>> = {},
): Answer => ({
  give: ({ response }) => {
    const bytes =
      typeof body === "string" || body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body)
    response.writeHead(code, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(bytes),
      ...headers,
    })
    response.end(bytes)
  },
})

/** A 200 with this JSON. */
export const json = (body: unknown, headers: Readonly<Record<string, string>> = {}): Answer =>
  status(200, body, headers)

/** What is asked for, streamed or plain: a realistic answer with this text. */
export const chat = (
  text: string,
  options: CompletionOptions & {
    /** How the text is cut where it is streamed; else into words. */
    readonly deltas?: ReadonlyArray<string>
    readonly headers?: Readonly<Record<string, string>>
  } = {},
): Answer => ({
  give: (exchange) => {
    const { body } = exchange.request
    const asked: { readonly stream?: unknown; readonly stream_options?: unknown } =
      typeof body === "object" && body !== null ? body : {}
    if (asked.stream !== true) {
      json(chatCompletion(text, options), options.headers).give(exchange)
      return
    }
    const tokens: Tokens = options.tokens ?? { prompt: 7, completion: 3 }
    const wantsUsage =
      typeof asked.stream_options === "object" &&
      asked.stream_options !== null &&
      "include_usage" in asked.stream_options &&
      asked.stream_options.include_usage === true
    sse(
      chatChunks(options.deltas ?? text.match(/\S+\s*|\s+/g) ?? [], {
        ...(options.model === undefined ? {} : { model: options.model }),
        ...(wantsUsage ? { usage: tokens } : {}),
      }),
      { ...(options.headers === undefined ? {} : { headers: options.headers }) },
    ).give(exchange)
  },
})

/** The list of these models. */
export const models = (ids: ReadonlyArray<string>): Answer => json(modelList(ids))

export type LineEnd = "\n" | "\r\n" | "\r"

/** One event: a string is its data as it stands, anything else is sent as JSON. */
export type EventData = unknown

const dataOf = (event: EventData): string => (typeof event === "string" ? event : JSON.stringify(event))

/** The bytes of an event stream. */
export const eventStream = (
  events: ReadonlyArray<EventData>,
  { framing = "\n", done = true }: { readonly framing?: LineEnd; readonly done?: boolean } = {},
): Buffer =>
  Buffer.from(
    [...events.map(dataOf), ...(done ? ["[DONE]"] : [])]
      .map((data) => `data: ${data}${framing}${framing}`)
      .join(""),
  )

export interface StreamOptions {
  /** Byte positions at which the bytes are cut into writes of their own. */
  readonly cuts?: ReadonlyArray<number>
  /** Cuts after every so many bytes. */
  readonly chunkSize?: number
  readonly delayBetweenMs?: number
  readonly headers?: Readonly<Record<string, string>>
  /** What comes after the last byte: the regular end, a reset, or nothing more. */
  readonly ending?: Ending
}

export type Ending = "end" | "reset" | "silence"

const cut = (bytes: Buffer, { cuts, chunkSize }: StreamOptions): ReadonlyArray<Buffer> => {
  const positions = new Set(cuts)
  if (chunkSize !== undefined) {
    for (let at = chunkSize; at < bytes.length; at += chunkSize) positions.add(at)
  }
  const sorted = [...positions].filter((at) => at > 0 && at < bytes.length).sort((a, b) => a - b)
  return [0, ...sorted].map((from, index) => bytes.subarray(from, sorted[index] ?? bytes.length))
}

const eventStreamHead = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" }

/** Streams these bytes as they are, cut as the options say. */
export const streamed = (bytes: Buffer, options: StreamOptions = {}): Answer => ({
  give: ({ response, socket, settle }) => {
    response.writeHead(200, { ...eventStreamHead, ...options.headers })
    const pieces = cut(bytes, options)
    const finish = () => {
      switch (options.ending ?? "end") {
        case "end":
          response.end()
          return
        case "reset":
          settle()
          sendResetLater(socket)
          return
        case "silence":
          return
      }
    }
    const write = (index: number) => {
      const piece = pieces[index]
      if (piece === undefined || socket.destroyed) {
        finish()
        return
      }
      response.write(piece, () => {
        // The next turn of the event loop at the soonest, so that the reader sees a piece by itself.
        if (options.delayBetweenMs === undefined) setImmediate(write, index + 1)
        else setTimeout(write, options.delayBetweenMs, index + 1)
      })
    }
    if (pieces.length === 1 && options.delayBetweenMs === undefined) {
      response.write(bytes, finish)
      return
    }
    response.flushHeaders()
    write(0)
  },
})

/** Streams these events, one write each unless cut otherwise, and `[DONE]` unless told not to. */
export const sse = (
  events: ReadonlyArray<EventData>,
  options: StreamOptions & { readonly framing?: LineEnd; readonly done?: boolean } = {},
): Answer => {
  const bytes = eventStream(events, options)
  if (options.cuts !== undefined || options.chunkSize !== undefined) return streamed(bytes, options)
  const cuts: Array<number> = []
  let at = 0
  for (const event of events) {
    at += eventStream([event], { ...options, done: false }).length
    cuts.push(at)
  }
  return streamed(bytes, { ...options, cuts })
}

/** Never answers. */
export const hang = (): Answer => ({ give: () => {} })

/** Writes these bytes past the HTTP layer, then ends (FIN), resets (RST) or stays silent. */
export const raw = (bytes: string | Buffer, ending: Ending): Answer => ({
  give: ({ socket, settle }) => {
    const finish = () => {
      if (ending === "silence") return
      settle()
      if (ending === "end") socket.end()
      else sendResetLater(socket)
    }
    if (bytes.length === 0) finish()
    else socket.write(bytes, finish)
  },
})

/** Writes these bytes past the HTTP layer, then the piece again and again, at intervals, for as long as its caller stays. */
export const trickle = (bytes: string | Buffer, piece: string, everyMs: number): Answer => ({
  give: ({ socket }) => {
    socket.write(bytes)
    const more = setInterval(() => socket.write(piece), everyMs)
    socket.once("close", () => clearInterval(more))
  },
})

const wholeHead = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"

/** Resets the connection: before a byte of the answer, inside its head, or inside a plain body. */
export const reset = (where: "before" | "in_head" | "in_body" = "before"): Answer => {
  switch (where) {
    case "before":
      return raw("", "reset")
    case "in_head":
      return raw("HTTP/1.1 200 OK\r\ncontent-ty", "reset")
    case "in_body":
      return raw(`${wholeHead}content-length: 1000\r\n\r\n{"id":"chatcmpl-`, "reset")
  }
}

/** Promises the whole JSON by its length, sends all but the last `missing` bytes, and ends the connection in good order. */
export const truncate = (body: unknown, missing = 1): Answer => {
  const bytes = Buffer.from(JSON.stringify(body))
  const head = Buffer.from(`${wholeHead}content-length: ${bytes.length}\r\n\r\n`)
  return raw(Buffer.concat([head, bytes.subarray(0, bytes.length - missing)]), "end")
}

/** The first request gets the first answer, and so on; the last one repeats. */
export const sequence = (first: Answer, ...rest: ReadonlyArray<Answer>): Answer => {
  const answers = [first, ...rest]
  let next = 0
  return {
    give: (exchange) => {
      const answer = answers[Math.min(next, answers.length - 1)] ?? first
      next += 1
      answer.give(exchange)
    },
  }
}

/**
 * Answers the first request of each connection and keeps it alive, then destroys it when another request's bytes arrive: what an
 * upstream looks like whose idle timeout ran out just as its caller took the connection from a pool.
 */
export const staleWhenReused = (answer: Answer): Script => {
  const closes: Answer = {
    give: ({ socket, settle }) => {
      settle()
      socket.destroy()
    },
  }
  return (request) => (request.onConnection === 0 ? answer : closes)
}

/** One answer that the test writes as it goes. */
export interface Controlled {
  readonly answer: Answer
  /** The request, once it has arrived and the answer's head is out. */
  readonly opened: Effect.Effect<RecordedRequest>
  /** Writes one event, as soon as there is a request; done when the kernel has it. */
  readonly push: (event: EventData) => Effect.Effect<void>
  /** The same for bytes as they are. */
  readonly write: (bytes: string | Buffer) => Effect.Effect<void>
  /** Ends in good order, with `[DONE]` or, where it is cut short, without. */
  readonly end: (how?: "done" | "cut") => Effect.Effect<void>
  /** Resets the connection. */
  readonly kill: Effect.Effect<void>
  /** Completes when the caller closes the connection, with `performance.now()`. */
  readonly closed: Effect.Effect<number>
}

/** An answer to one request, written from the test. */
export const controlled = (
  contentType = "text/event-stream",
  headers: Readonly<Record<string, string>> = {},
): Controlled => {
  const exchange = unresolved<Exchange>()
  const opened = Deferred.await(exchange)
  const write = (bytes: string | Buffer) =>
    Effect.flatMap(opened, ({ response }) =>
      Effect.async<void>((resume) => {
        response.write(bytes, () => resume(Effect.void))
      }),
    )
  return {
    answer: {
      give: (given) => {
        given.response.writeHead(200, { "content-type": contentType, ...headers })
        given.response.flushHeaders()
        resolve(exchange, given)
      },
    },
    opened: Effect.map(opened, ({ request }) => request),
    write,
    push: (event) => write(eventStream([event], { done: false })),
    end: (how = "done") =>
      Effect.flatMap(opened, ({ response }) =>
        Effect.sync(() => {
          response.end(how === "done" ? "data: [DONE]\n\n" : "")
        }),
      ),
    kill: Effect.map(opened, ({ settle, socket }) => {
      settle()
      sendReset(socket)
    }),
    closed: Effect.flatMap(opened, ({ request }) => request.abandoned),
  }
}

/** A stream as fast as its reader takes it. */
export interface Flood {
  readonly answer: Answer
  /** Bytes handed to the kernel so far. */
  readonly sentBytes: () => number
  /** Completes when nothing could be sent for this many milliseconds: the reader has stopped and all buffers are full. */
  readonly stalled: (forMs: number) => Effect.Effect<void>
}

/** Streams at least `totalBytes` of text events of `eventBytes` each, observing backpressure. */
export const flood = (totalBytes: number, eventBytes: number): Flood => {
  const empty = eventStream([textChunk("")], { done: false }).length
  const bytes = eventStream([textChunk("x".repeat(eventBytes - empty))], { done: false })
  const count = Math.ceil(totalBytes / eventBytes)
  let sent = 0
  let lastProgress = performance.now()
  const sentOne = () => {
    sent += bytes.length
    lastProgress = performance.now()
  }
  return {
    answer: {
      give: ({ response, socket }) => {
        response.writeHead(200, eventStreamHead)
        let written = 0
        const more = () => {
          while (written < count) {
            if (socket.destroyed) return
            written += 1
            if (!response.write(bytes, sentOne)) {
              response.once("drain", more)
              return
            }
          }
          response.end(eventStream([finishChunk()]))
        }
        more()
      },
    },
    sentBytes: () => sent,
    stalled: (forMs) =>
      Effect.async<void>((resume) => {
        const look = setInterval(() => {
          if (sent === 0 || performance.now() - lastProgress < forMs) return
          clearInterval(look)
          resume(Effect.void)
        }, forMs / 10)
        return Effect.sync(() => clearInterval(look))
      }),
  }
}

/** Bytes without end, as fast as their reader takes them. */
export type Pour = Pick<Flood, "answer" | "sentBytes">

/** Writes a beginning past the HTTP layer, then the piece again and again until at least `totalBytes` are out, observing backpressure. */
export const pour = (beginning: string, piece: Buffer, totalBytes: number): Pour => {
  let sent = 0
  return {
    answer: {
      give: ({ socket, settle }) => {
        let written = 0
        const more = () => {
          while (written < totalBytes) {
            if (socket.destroyed) return
            written += piece.length
            const goesOn = socket.write(piece, (error) => {
              if (error === undefined || error === null) sent += piece.length
            })
            if (!goesOn) {
              socket.once("drain", more)
              return
            }
          }
          settle()
          socket.end()
        }
        socket.write(beginning)
        more()
      },
    },
    sentBytes: () => sent,
  }
}

/**
 * A port on which connections are refused for as long as the scope is open: it stays taken by an established connection's own
 * end, so that no other test's server can be given it.
 */
export const closedPort: Effect.Effect<number, never, Scope.Scope> = Effect.acquireRelease(
  Effect.async<{ readonly port: number; readonly close: () => void }>((resume) => {
    const server = createTcpServer().listen(0, "127.0.0.1", () => {
      const client = connect(portOf(server.address()), "127.0.0.1", () => {
        resume(
          Effect.succeed({
            port: client.localPort ?? 0,
            close: () => {
              client.destroy()
              server.close()
            },
          }),
        )
      })
      client.on("error", () => {})
    })
    server.on("connection", (socket) => socket.on("error", () => {}).resume())
  }),
  ({ close }) => Effect.sync(close),
).pipe(Effect.map(({ port }) => port))

/** A port that takes connections and never says a word on them. */
export const silentPort: Effect.Effect<number, never, Scope.Scope> = Effect.acquireRelease(
  Effect.async<{ readonly port: number; readonly close: () => void }>((resume) => {
    const sockets = new Set<Socket>()
    const server = createTcpServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => {}).resume()
    }).listen(0, "127.0.0.1", () =>
      resume(
        Effect.succeed({
          port: portOf(server.address()),
          close: () => {
            server.close()
            for (const socket of sockets) socket.destroy()
          },
        }),
      ),
    )
  }),
  ({ close }) => Effect.sync(close),
).pipe(Effect.map(({ port }) => port))

/** Listens with the shortest queue there is, says on which port, and then takes no connection from it until it is told to end. */
const deafListener = `
const { parentPort, workerData } = require("node:worker_threads")
const server = require("node:net").createServer()
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  parentPort.postMessage(server.address().port)
  Atomics.wait(new Int32Array(workerData), 0, 0)
  process.exit()
})`

/** How long a connection may take before the queue counts as full. */
const queueFullMs = 150

/**
 * A port whose queue of connections is full: a further one neither comes to be nor is refused. A thread of its own listens, since Node's event
 * loop takes whatever is in the queue.
 */
export const fullPort: Effect.Effect<number, never, Scope.Scope> = Effect.gen(function* () {
  const flag = new Int32Array(new SharedArrayBuffer(4))
  const { port } = yield* Effect.acquireRelease(
    Effect.async<{ readonly port: number; readonly worker: Worker }>((resume) => {
      const worker = new Worker(deafListener, { eval: true, workerData: flag.buffer })
      worker.once("message", (message: unknown) => resume(Effect.succeed({ port: Number(message), worker })))
    }),
    ({ worker }) =>
      Effect.async<void>((resume) => {
        worker.once("exit", () => resume(Effect.void))
        Atomics.store(flag, 0, 1)
        Atomics.notify(flag, 0)
      }),
  )
  const queue = Effect.acquireRelease(
    Effect.async<{ readonly socket: Socket; readonly isQueued: boolean }>((resume) => {
      const socket = connect(port, "127.0.0.1", () => resume(Effect.succeed({ socket, isQueued: true })))
      socket.on("error", () => {})
      const isFull = () => resume(Effect.succeed({ socket, isQueued: false }))
      // Where the loop was held up, the timer rings before what has long happened is told.
      setTimeout(() => setImmediate(isFull), queueFullMs)
    }),
    ({ socket }) => Effect.sync(() => socket.destroy()),
  )
  yield* Effect.repeat(queue, { while: ({ isQueued }) => isQueued, times: 64 })
  return port
})
