/** What the fake provider says in each dialect. */

export const words = ["Hello", ", ", "world", "."]

/** The text that a good answer holds. */
export const text = words.join("")

/** The arguments of a tool, in the pieces they are streamed in. */
export const args = ['{"a":1,', '"b":2}']

/** Whether an effort asks for reasoning at all. */
export const hasReasoning = (effort) => effort !== undefined && effort !== null && effort !== "none"
