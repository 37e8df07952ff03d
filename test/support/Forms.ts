/** Forms as clients send them, and as upstreams read them: written and read apart from the program's own reader. */

/** A file of a form. */
export interface FormFile {
  readonly filename: string
  readonly type: string
  readonly bytes: string | Uint8Array
}

export type FormEntry = readonly [name: string, value: string | FormFile]

export interface SentForm {
  readonly type: string
  readonly bytes: Buffer
}

/** A form with these parts, in their order. */
export const formOf = (entries: ReadonlyArray<FormEntry>, boundary = "----form-of-tests"): SentForm => ({
  type: `multipart/form-data; boundary=${boundary}`,
  bytes: Buffer.concat([
    ...entries.flatMap(([name, value]) =>
      typeof value === "string"
        ? [Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)]
        : [
            Buffer.from(
              `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${value.filename}"\r\nContent-Type: ${value.type}\r\n\r\n`,
            ),
            Buffer.from(value.bytes),
            Buffer.from("\r\n"),
          ],
    ),
    Buffer.from(`--${boundary}--\r\n`),
  ]),
})

/** The fields and files of a form, by name; of a name that stands more than once, a list. Files are their bytes, as text. */
export const fieldsIn = (bytes: Buffer, type = ""): Readonly<Record<string, unknown>> => {
  const boundary = /boundary="?([^";]+)/.exec(type)?.[1] ?? ""
  const fields: Record<string, unknown> = {}
  for (const part of bytes.toString("latin1").split(`--${boundary}`).slice(1, -1)) {
    const [head = "", ...rest] = part.slice(2, -2).split("\r\n\r\n")
    const name = /name="([^"]*)"/.exec(head)?.[1] ?? ""
    const value = rest.join("\r\n\r\n")
    const before = fields[name]
    fields[name] = before === undefined ? value : [before, value].flat()
  }
  return fields
}

/** A sound or a picture that is none, with bytes in it that delimiters are made of. */
export const file = (filename: string, type: string): FormFile => ({
  filename,
  type,
  bytes: Buffer.from([0xff, 0xfb, 0x0d, 0x0a, 0x2d, 0x2d, 0x00, 0x2d, 0x0d, 0x0a]),
})
