/** Whom a request is made for, as long as a dialect takes it: what is longer stands as its digest, the same for the same. */
import type { Setting } from "./Conversation.ts"
import { digestOf } from "./Digest.ts"
import type { Losses } from "./Losses.ts"

/** How long it may be. */
export const longestUser = { chat: 64, responses: 64, messages: 256 } as const

export const asDigest = ({ as, value }: Setting<string>, losses: Losses): string => {
  losses.tellInPart(as)
  return digestOf(value)
}

export const fittedUser = (
  user: Setting<string> | undefined,
  longest: number,
  losses: Losses,
): string | undefined =>
  user === undefined || user.value.length <= longest ? user?.value : asDigest(user, losses)
