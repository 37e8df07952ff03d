/**
 * What filters of the schema say of a value: words of the source, each declared here before it is used. Whatever else comes out of a decoding is taken for a
 * text of the file, and not told.
 */

const declared = new Set<string>()

/** Declares a message: a literal, which the type makes sure of. */
export const fixed = <Words extends string>(words: string extends Words ? never : Words): string => {
  declared.add(words)
  return words
}

/** Whether a message was declared. */
export const isFixed = (message: string): boolean => declared.has(message)
