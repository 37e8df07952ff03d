/** What a connection can do wrong, as the failure of an attempt. */
import type { Upstream } from "../../routing/Upstream.ts"
import { AttemptFailure } from "../policy/AttemptFailure.ts"
import { ProxyFault } from "./Connections.ts"

/** The parts of the errors that undici and Node's sockets raise which tell them apart. */
interface SocketFault {
  readonly code: string
  readonly message: string
}

const readFault = (cause: unknown): SocketFault => {
  if (!(cause instanceof Error)) return { code: "", message: String(cause) }
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : ""
  return { code, message: cause.message }
}

const connectCodes: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "EACCES",
  "EPERM",
  "ENOENT",
])

const isTlsFault = (code: string): boolean =>
  code.startsWith("ERR_TLS") ||
  code.startsWith("ERR_SSL") ||
  code.startsWith("CERT_") ||
  code.includes("SELF_SIGNED") ||
  code.startsWith("UNABLE_TO_")

/** What went wrong with a call to this upstream. */
export const faultOf = (cause: unknown, upstream: Upstream): AttemptFailure => {
  if (cause instanceof ProxyFault) return AttemptFailure.ConnectFailed({ reason: cause.message })
  const { code, message } = readFault(cause)
  if (code === "UND_ERR_CONNECT_TIMEOUT" || code === "ETIMEDOUT") {
    return AttemptFailure.TimedOut({ phase: "connect", afterMs: upstream.timeouts.connectMs })
  }
  if (connectCodes.has(code) || isTlsFault(code)) return AttemptFailure.ConnectFailed({ reason: code })
  // What undici asserts of an answer fails for a status below 100.
  if (code === "ERR_ASSERTION") return AttemptFailure.BrokenOff({ reason: "its answer is not HTTP/1.1" })
  return AttemptFailure.BrokenOff({ reason: code === "" || code === "UND_ERR_SOCKET" ? message : code })
}
