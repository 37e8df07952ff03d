/** What browsers are told of the dashboard's files: what each is, how long it may be kept, and what the page may do. */
import type { SentHeaders } from "../wire/Headers.ts"

/** The page itself, which names all others. */
export const pageName = "index.html"

/**
 * The page runs and looks like what came with it, asks only the gateway it came from, shows pictures whose bytes it has, and no text becomes markup:
 * `trusted-types 'none'` takes that from its program, and from whoever finds a way into it.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ")

const typeOf = (name: string): string => {
  if (name.endsWith(".js")) return "text/javascript; charset=utf-8"
  return name.endsWith(".css") ? "text/css; charset=utf-8" : "text/html; charset=utf-8"
}

/** All but the page say in their names what is in them. */
const kept = "public, max-age=31536000, immutable"

export const headersOf = (name: string, isPacked: boolean): SentHeaders => ({
  "content-type": typeOf(name),
  "cache-control": name === pageName ? "no-store" : kept,
  "content-security-policy": contentSecurityPolicy,
  "cross-origin-opener-policy": "same-origin",
  vary: "accept-encoding",
  ...(isPacked ? { "content-encoding": "gzip" } : undefined),
})

/** Whether an `accept-encoding` takes gzip (RFC 9110 §12.5.3). */
export const acceptsGzip = (header: string | ReadonlyArray<string> | undefined): boolean =>
  String(header ?? "")
    .split(",")
    .some((one) => {
      const [name = "", ...parameters] = one.split(";").map((part) => part.trim().toLowerCase())
      return name === "gzip" && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))
    })
