/** Where the calls of an upstream go, and what is sent with each of them. */
import * as Redacted from "effect/Redacted"
import { type Upstream, urlOf } from "../../routing/Upstream.ts"
import type { SentHeaders } from "../../wire/Headers.ts"

/** Where calls go below an upstream's base URL. */
export interface Destination {
  readonly origin: string
  /** Whole, to a proxy that makes the call itself. */
  readonly path: string
  /** What is sent beside the call's own headers. */
  readonly withEvery: SentHeaders
}

/** With every call: answers are read, and silence would allow any encoding (RFC 9110 §12.5.3). Some pack all the same. */
const withEvery: SentHeaders = { "accept-encoding": "identity" }

/** Of paths that are handed on there is no end. */
const mostKnown = 64

/** Parsing a URL takes about 2 µs, and there are only so many. */
const destinations = new WeakMap<Upstream, Map<string, Destination>>()

/** The name of a parameter. */
const nameOf = (parameter: string): string => parameter.split("=", 1)[0] ?? ""

/** The path, and a query behind it but for what the configuration says itself. */
export const withQuery = (path: string, query: string | undefined): string => {
  if (query === undefined || query === "") return path
  const at = path.indexOf("?")
  if (at === -1) return `${path}?${query}`
  const configured = new Set(
    path
      .slice(at + 1)
      .split("&")
      .map(nameOf),
  )
  const more = query.split("&").filter((parameter) => !configured.has(nameOf(parameter)))
  return [path, ...more].join("&")
}

/** Where a call to this path goes. */
export const destinationOf = (upstream: Upstream, path: string): Destination => {
  const known = destinations.get(upstream)
  const found = known?.get(path)
  if (found !== undefined) return found
  const url = new URL(urlOf(upstream, path))
  const below = url.pathname + url.search
  const { proxy } = upstream
  const made =
    proxy === undefined || url.protocol === "https:"
      ? { origin: url.origin, path: below, withEvery }
      : {
          origin: url.origin,
          path: url.origin + below,
          withEvery:
            proxy.authorization === undefined
              ? withEvery
              : { ...withEvery, "proxy-authorization": Redacted.value(proxy.authorization) },
        }
  if (known === undefined) destinations.set(upstream, new Map([[path, made]]))
  else {
    // Those that are asked for all the time are back at once; what clients choose must not keep them out.
    if (known.size >= mostKnown) known.clear()
    known.set(path, made)
  }
  return made
}
