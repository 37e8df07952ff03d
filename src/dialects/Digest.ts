/** What stands for a text and tells nothing of it. */
import { createHash } from "node:crypto"

/** The same for the same, in hexadecimal digits. */
export const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex")
