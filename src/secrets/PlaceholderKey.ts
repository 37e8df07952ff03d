/** Keys that are none: what examples have in a key's place. Whoever reads the example knows them. */

/** Tested against the text without case, separators and brackets. */
const placeholders: ReadonlyArray<RegExp> = [
  // replace-me, replace-me-too, CHANGE_THIS, fill-in
  /^(?:please)?(?:replace|change|fix|edit|fill|set)(?:me|this|it|in)(?:too|now|please|here|later|\d+)?$/,
  // your-key, put your access key here, insert-key-here, your_secret_token
  /^(?:insert|put|enter|add|paste|place)(?:the|an?)?(?:own|new|real|secret|access|api)*(?:key|token|secret|password)s?(?:here)?$/,
  /^(?:insert|put|enter|add|paste|place|use|set)?your\w*?(?:key|token|secret|password)s?\d*(?:goes)?(?:here)?$/,
  /^\w*?(?:key|token|secret|password)(?:goes)?here$/,
  /^(?:a|an|some|my|the)?(?:example|sample|placeholder|dummy|default)(?:access|api|secret)*(?:key|token|secret)?\d*$/,
  /^(?:todo|tbd|fixme|none|null|undefined|x{3,}|1234|12345|123456|abc123)$/,
]

/** Whether an access key is no key but what stands in its place in an example: `replace-me`, `your-key-here`, `<key>`, `sk-xxxx`, `sk-1234`. */
export const isPlaceholder = (key: string): boolean => {
  if (/^(?:<[^<>]*>|\{\{.*\}\}|\[[^[\]]*\]|[*.\u2026\u2022]{3,})$/.test(key)) return true
  const bare = key
    .toLowerCase()
    .replace(/^sk[-_]/, "")
    .replace(/[-_. /]/g, "")
  return placeholders.some((one) => one.test(bare))
}
