/** What `sluice explain` tells of a path that is handed on. */
import { printable } from "../terminal/Printable.ts"
import type { AskedEndpoint } from "./AskedEndpoint.ts"
import { addressOf } from "./Explain.ts"

/** In a sentence, and with the names of the configuration. */
export const passedInWords = (
  asked: string,
  { path, position, rule }: Extract<AskedEndpoint, { readonly kind: "passed" }>,
) => {
  const { methods, upstream } = rule
  const url = addressOf(upstream, path)
  return {
    inWords: printable(
      `${asked} is handed on to ${upstream.name} (passthrough[${position}], ${methods.join(", ")}), whatever the model; it is asked at ${url}`,
    ),
    forMachines: { path: asked, client: upstream.name, rule: position, methods, url },
  }
}
