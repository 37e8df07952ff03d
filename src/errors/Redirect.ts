/** Where an upstream's redirect leads, in words: Sluice follows none, since it would be sent the key. */
import { clipped } from "../wire/Clipped.ts"

const longestTarget = 200

const parse = (location: string): URL | undefined => {
  // What is relative gets a host that cannot be.
  const base = "http://relative.invalid"
  return URL.canParse(location, base) ? new URL(location, base) : undefined
}

/** The target without credentials, query and fragment, which may hold secrets; `undefined` where there is none that can be told. */
export const redirectTarget = (location: string | undefined): string | undefined => {
  const url = location === undefined || location === "" ? undefined : parse(location)
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) return undefined
  const target = url.hostname === "relative.invalid" ? url.pathname : url.origin + url.pathname
  return clipped(target, longestTarget)
}
