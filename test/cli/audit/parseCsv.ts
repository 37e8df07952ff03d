/** Reads CSV by the letter of RFC 4180, so that what is written can be held against it. */

/** Records of fields; a field of nothing is `null`, quoted or not otherwise text. */
export const parseCsv = (text: string): ReadonlyArray<ReadonlyArray<string | null>> => {
  const records: Array<Array<string | null>> = []
  let at = 0
  while (at < text.length) {
    const record: Array<string | null> = []
    for (;;) {
      if (text[at] === '"') {
        let field = ""
        at++
        for (;;) {
          const quote = text.indexOf('"', at)
          if (quote === -1) throw new Error("a quote does not end")
          field += text.slice(at, quote)
          at = quote + 1
          if (text[at] !== '"') break
          field += '"'
          at++
        }
        record.push(field)
      } else {
        const end = text.slice(at).search(/,|\r\n/)
        if (end === -1) throw new Error("a record does not end")
        const field = text.slice(at, at + end)
        if (/["\r\n]/.test(field)) throw new Error(`unquoted: ${JSON.stringify(field)}`)
        record.push(field === "" ? null : field)
        at += end
      }
      if (text[at] === ",") {
        at++
        continue
      }
      if (text.slice(at, at + 2) !== "\r\n") throw new Error("after a field comes a comma or CRLF")
      at += 2
      break
    }
    records.push(record)
  }
  return records
}
