/** The faces by their names. */
import { anthropicFace } from "./AnthropicFace.ts"
import type { Face, FaceName } from "./Face.ts"
import { openAiFace } from "./OpenAiFace.ts"

export const faces: Readonly<Record<FaceName, Face>> = { openai: openAiFace, anthropic: anthropicFace }
