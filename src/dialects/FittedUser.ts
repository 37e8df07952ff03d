/** Whom a request is made for, in OpenAI's dialects: Claude Code says it in more characters than they take. */
import type { Setting } from "./Conversation.ts"
import { digestOf } from "./Digest.ts"

/** Longer ones are refused. */
const longestUser = 64

/** Whether a user is said otherwise than the caller does. */
export const isRefitted = (user: Setting<string> | undefined): boolean =>
  user !== undefined && user.value.length > longestUser

/** As the provider takes it; the same user is always called the same. */
export const fittedUser = (user: Setting<string> | undefined): string | undefined =>
  user !== undefined && isRefitted(user) ? digestOf(user.value) : user?.value
