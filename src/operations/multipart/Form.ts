/** A form that was read: its parts, where they stand in its bytes, and what may be told of them. */
import type { PartHead } from "../../wire/PartHead.ts"
import type { StoredBytes } from "../../wire/StoredBytes.ts"

export interface FormPart extends PartHead {
  /** Where its bytes stand in those of the form. */
  readonly start: number
  readonly end: number
  /** What a field says; nothing of a file, or of what is too long or no UTF-8. */
  readonly text: string | undefined
  /** SHA-256 of a file, in hexadecimal digits, where records keep what was sent. */
  readonly sha256: string | undefined
}

export interface Form {
  readonly boundary: string
  readonly parts: ReadonlyArray<FormPart>
  /** All of it, as it came. */
  readonly bytes: StoredBytes
  /** Where parts can be added. */
  readonly closedAt: number
}

export const isFile = ({ filename }: PartHead): boolean => filename !== undefined

/** What a file is told as. */
const toldFile = ({ contentType, end, filename, sha256, start }: FormPart) => ({
  filename,
  content_type: contentType,
  bytes: end - start,
  sha256,
})

const told = (part: FormPart): unknown =>
  isFile(part) ? toldFile(part) : (part.text ?? { bytes: part.end - part.start })

/** The form as a JSON object for records: what its fields say, and of files all but their bytes. Parts of one name become a list. */
export const toldForm = ({ parts }: Pick<Form, "parts">): string => {
  const byName = new Map<string, Array<unknown>>()
  for (const part of parts) byName.set(part.name, [...(byName.get(part.name) ?? []), told(part)])
  const members = [...byName].map(([name, all]) => [name, all.length === 1 ? all[0] : all] as const)
  return JSON.stringify(Object.fromEntries(members))
}
