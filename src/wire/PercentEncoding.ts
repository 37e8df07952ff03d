/** Text in URLs, where characters may be written as `%` and their bytes (RFC 3986 §2.1). */

/** The text as it was meant; as it stands where it is not encoded as it should be. */
export const percentDecoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
