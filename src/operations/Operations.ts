/** The table of operations. Whatever is said of each of them somewhere else is made of it, or is a record of `OperationName`, which does not compile without all. */
import { chat } from "./chat/Chat.ts"
import { completions } from "./completions/Completions.ts"
import { embeddings } from "./embeddings/Embeddings.ts"
import type { Operation } from "./Operation.ts"

export type OperationName = "chat.completions" | "completions" | "embeddings"

/** An operation of the table. */
export type ServedOperation = Operation<OperationName>

/** The operations by their names, in the order in which they are told. */
export const operations: { readonly [Name in OperationName]: Operation<Name> } = {
  "chat.completions": chat,
  completions,
  embeddings,
}

/** All of them, in that order. */
export const allOperations: ReadonlyArray<ServedOperation> = Object.values(operations)

/** The operation that is called so, in an audit of any release. */
export const operationCalled = (name: string): ServedOperation | undefined =>
  allOperations.find((operation) => operation.name === name)
