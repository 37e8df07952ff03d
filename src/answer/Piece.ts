/** A bit of one choice's text on its way to the client; machines for one choice take and give these. */

export interface Piece {
  readonly field: "content" | "reasoning"
  readonly text: string
}
