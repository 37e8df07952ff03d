/** A span that is over, as plain data: what is exported, whichever library does it. */

export type AttributeValue = string | number | boolean | ReadonlyArray<string>

/** What is `undefined` is left out. */
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>

export interface SpanData {
  readonly name: string
  readonly kind: "server" | "client"
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | undefined
  /** The parent is another's. */
  readonly isParentRemote: boolean
  readonly state: string | undefined
  /** Epoch milliseconds, with their fraction. */
  readonly beganAt: number
  readonly endedAt: number
  /** What went wrong, where something did. */
  readonly error: string | undefined
  readonly attributes: Attributes
}
