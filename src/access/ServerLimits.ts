/** Who may ask, how much and how long, as `server` and `timeouts` of the configuration say. */
import type { KeyRing } from "./AccessKey.ts"
import type { ProxyTrust } from "./ClientAddress.ts"
import type { Origins } from "./WebPage.ts"

export interface ServerLimits {
  readonly maxBodyBytes: number
  /** Of a body that is a form, and of all of them together on disk. */
  readonly maxUploadBytes: number
  readonly maxSpooledBytes: number
  /** Requests under way at most; what comes beyond is turned away. */
  readonly maxInFlight: number
  /** The most that the bodies of all requests under way hold in memory together, in bytes. */
  readonly maxBufferedBytes: number
  /** Milliseconds a client may take nothing of its answer. */
  readonly sendMs: number
  /** Milliseconds a client may send nothing of its body, or less than the least pace allows. */
  readonly receiveMs: number
  /** Of clients, at once. */
  readonly maxConnections: number
  /** Of one address; 0 is no limit. */
  readonly maxConnectionsPerAddress: number
  /** Milliseconds one request may take as a whole, all its attempts and waits included. */
  readonly requestTimeoutMs: number
  /** None: everybody is served. */
  readonly accessKeys: KeyRing
  /** Whose word about the client's address is believed. */
  readonly trustProxy: ProxyTrust
  /** Whose pages may read answers. */
  readonly origins: Origins
}
