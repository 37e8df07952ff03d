/** Instructions as one text. */
import type { Losses } from "./Losses.ts"
import type { InstructionPart } from "./Part.ts"

/** All texts of them; what is none has no place there. */
export const instructionText = (parts: ReadonlyArray<InstructionPart>, losses: Losses): string => {
  const texts: Array<string> = []
  for (const part of parts) {
    if (part.kind === "text") texts.push(part.text)
    else losses.tell(part.as, true)
  }
  return texts.join("\n\n")
}
