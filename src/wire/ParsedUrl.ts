/** URLs, as the WHATWG's standard reads them. */

/**
 * The URL, or `undefined` where the text is none. Not by `URL.canParse`: after some thousands of calls Node 20 takes a name with a letter as `ü` for none.
 * `URL.parse` came with Node 22.
 */
export const parsedUrl = (text: string, base?: string): URL | undefined => {
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}
