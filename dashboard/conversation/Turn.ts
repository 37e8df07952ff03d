/** A conversation as it is shown, whatever dialect it was spoken in: who said what, in order. */

export type TurnPart =
  | { readonly is: "text"; readonly text: string }
  | { readonly is: "thinking"; readonly text: string }
  | { readonly is: "refusal"; readonly text: string }
  | { readonly is: "call"; readonly name: string; readonly id: string; readonly input: string }
  | {
      readonly is: "result"
      readonly id: string
      readonly parts: ReadonlyArray<TurnPart>
      readonly isError: boolean
    }
  /** A picture whose bytes are here (`data:image/…`), or that is elsewhere: this page asks nobody else for it. */
  | { readonly is: "picture"; readonly source: string | undefined; readonly told: string }
  /** What is shown by a few words: a file, a sound, something sealed. */
  | { readonly is: "other"; readonly told: string }

export interface Turn {
  /** `system`, `user`, `assistant`, `tool` or as the request has it. */
  readonly role: string
  readonly parts: ReadonlyArray<TurnPart>
}

export interface Conversation {
  readonly turns: ReadonlyArray<Turn>
  /** Names of the tools that were offered. */
  readonly tools: ReadonlyArray<string>
}

/** Those shown at most; the raw body has all of them. */
export const mostTurns = 500
