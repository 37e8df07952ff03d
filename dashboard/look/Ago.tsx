/** How long ago something was, or how long until it is; the instant itself in its title. */
import { absolute, relative } from "../words/Times.ts"
import { useNow } from "./Now.ts"

export const Ago = ({ at }: { readonly at: string }) => (
  <time dateTime={at} title={absolute(at)}>
    {relative(at, useNow())}
  </time>
)
