/** Bytes of a body as they come, handed on no faster than they are taken. */

/** What takes them. */
export interface Intake {
  /** False where the sender is to wait for `onDrain`. */
  readonly write: (bytes: Uint8Array) => boolean
  readonly onDrain: (go: () => void) => void
  readonly end: () => void
  /** Lets go of what is under way. */
  readonly close: () => void
}
