/** The operations of conversations themselves: what is asked of one can be asked of another, in its dialect. */
import type { Dialect } from "../../routing/Dialect.ts"
import { operations, type ServedOperation } from "../Operations.ts"

export const conversations: { readonly [D in Dialect]: ServedOperation } = {
  chat: operations["chat.completions"],
  responses: operations.responses,
  messages: operations.messages,
}

/** The dialect from which requests of an operation can be translated; `undefined` where they cannot. */
export const translatedFrom = (operation: ServedOperation): Dialect | undefined =>
  operation.dialect !== undefined && conversations[operation.dialect] === operation
    ? operation.dialect
    : undefined
