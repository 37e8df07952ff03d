/** Paths of a client's own that begin with the end of its `base_url`, below which they lie: `/v1/messages` below `…/v1`. */
import { parsedUrl } from "../../wire/ParsedUrl.ts"
import { addressIn } from "./AddressIn.ts"
import type { Finding } from "./Problem.ts"
import { say } from "./Saying.ts"
import { below, type Tree, textOf } from "./Tree.ts"

/** Whether a path begins with an end of another, part by part: with `/api/v1` or with `/v1`. */
const beginsWithEndOf = (base: string, path: string): boolean => {
  for (let at = base.indexOf("/"); at !== -1; at = base.indexOf("/", at + 1)) {
    const end = base.slice(at)
    if (path.startsWith(end) && path[end.length] === "/") return true
  }
  return false
}

/** What is worth a warning of one client, by its place in the list. */
export const pathsSaidTwice = (upstream: Tree, position: number): ReadonlyArray<Finding> => {
  const paths = below(upstream, "paths")
  const base = parsedUrl(addressIn(upstream) ?? "")?.pathname.replace(/\/+$/, "") ?? ""
  if (paths?._tag !== "Mapping" || base === "") return []
  return [...paths.entries].flatMap(([name, { value }]): ReadonlyArray<Finding> => {
    const path = textOf(value) ?? ""
    return path.startsWith("//") || !beginsWithEndOf(base, path)
      ? []
      : [
          {
            path: ["openai_clients", position, "paths", name],
            message: say`begins with the end of base_url, which would be in the address twice; leave that out here, or begin with // for a path from the root of the host`,
            severity: "warning",
            atKey: false,
          },
        ]
  })
}
