/** Keys that are asked for and that a new text of the file no longer has: a file that opens the gateway says so, and does not merely lack a part. */
import type { Finding } from "./Problem.ts"
import { type Saying, say } from "./Saying.ts"
import { below, type Tree } from "./Tree.ts"

/** Lists of keys without which everybody is let in. */
export type KeyList = "server.access_keys" | "admin.keys"

const opens: Readonly<Record<KeyList, Saying>> = {
  "server.access_keys": say`Sluice would serve everybody who reaches the port; if that is meant, write access_keys: []`,
  "admin.keys": say`everybody would see what only the operator should see; if that is meant, write keys: []`,
}

/** What the lists that hold keys now lack in a new text. */
export const droppedKeys = (root: Tree, inForce: ReadonlyArray<KeyList>): ReadonlyArray<Finding> =>
  inForce.flatMap((list) => {
    const path = list.split(".")
    const found = path.reduce<Tree | undefined>(below, root)
    // An empty list says that it is meant; what is there and wrong is told elsewhere.
    const isLacking = found === undefined || (found._tag === "Scalar" && found.value === null)
    return isLacking
      ? [
          {
            path,
            message: say`the keys in force are gone from the file, and ${opens[list]}`,
            severity: "error",
            atKey: false,
          },
        ]
      : []
  })
