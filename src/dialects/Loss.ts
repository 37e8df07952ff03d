/** What of a request a dialect cannot say: it is left out and told, or the request is refused for it. Readers tell of it as writers do. */

/** Why it is lost though the dialect has a place for it: it says it in part alone, or the model does not take it. */
export type LossCause = "in_part" | "model"

export interface Loss {
  /** As the caller calls it: `logit_bias`, `messages.input_audio`. */
  readonly as: string
  /** Without it another answer would come than was asked for: the request is refused, whatever is configured. */
  readonly isEssential: boolean
  /** Absent: it has no place there. */
  readonly because?: LossCause
  /** The answer is the same without it, and only dearer or slower: it is told, and nothing is refused for it. */
  readonly keepsAnswer?: true
}

const plainName = /^[\w.[\] -]{1,64}$/

/** More names than these are told together. */
const mostNames = 40

/** What a loss is called where it is told, in a header too: callers may call their members anything. */
export const nameOf = ({ as }: Pick<Loss, "as">): string => (plainName.test(as) ? as : "member")

/** The names of losses, each once, and not without end. */
export const namesOf = (losses: ReadonlyArray<Loss>): ReadonlyArray<string> => {
  const names = [...new Set(losses.map(nameOf))]
  return names.length > mostNames ? [...names.slice(0, mostNames), "others"] : names
}
