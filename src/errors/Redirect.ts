/** Where an upstream's redirect leads, in words: Sluice follows none, since it would be sent the key. */
import { clipped } from "../wire/Clipped.ts"
import { parsedUrl } from "../wire/ParsedUrl.ts"

const longestTarget = 200

/** What is relative gets a host that cannot be. */
const nowhere = "relative.invalid"

/** The target without credentials, query and fragment, which may hold secrets; `undefined` where there is none that can be told. */
export const redirectTarget = (location: string | undefined): string | undefined => {
  const url = location === undefined || location === "" ? undefined : parsedUrl(location, `http://${nowhere}`)
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) return undefined
  const target = url.hostname === nowhere ? url.pathname : url.origin + url.pathname
  return clipped(target, longestTarget)
}
