/** Which conversation a client says that its request belongs to. */
import { firstOf, type ReceivedHeaders } from "../wire/Headers.ts"

/** Where clients say which of their conversations a request belongs to, the plainest word first. */
export const sessionNames = [
  "x-session-affinity",
  "x-session-id",
  "session-id",
  "session_id",
  "thread-id",
  "x-claude-code-session-id",
]

/** An id is shorter; what is not is cut before it is hashed. */
const longestSession = 256

/** The conversation a client says that its request belongs to. */
export const sessionOf = (headers: ReceivedHeaders): string | undefined => {
  for (const name of sessionNames) {
    const session = firstOf(headers[name]).trim()
    if (session !== "") return session.slice(0, longestSession)
  }
  return undefined
}
