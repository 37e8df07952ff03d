/** A bit of one choice's text on its way to the client; machines for one choice take and give these. */

export interface Piece {
  readonly field: "content" | "reasoning"
  readonly text: string
}

/** The text that the pieces of content among these make. */
export const contentOf = (pieces: ReadonlyArray<Piece>): string =>
  pieces.map(({ field, text }) => (field === "content" ? text : "")).join("")
