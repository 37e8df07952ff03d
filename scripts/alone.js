/**
 * One build of a checkout at a time. `npm start` and `npm run demo` at once would compile the addon into the same folder, and each run what the other
 * has half written.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import process from "node:process"
import { setTimeout } from "node:timers/promises"

const codeOf = (cause) => (cause instanceof Error && "code" in cause ? cause.code : undefined)

/** The process that is said to hold it; undefined where nobody does, or only says so. */
const holderOf = (lock) => {
  try {
    const pid = Number(readFileSync(lock, "utf8"))
    // In a container the same number comes again and again.
    if (pid === process.pid) return undefined
    process.kill(pid, 0)
    return pid
  } catch (cause) {
    // Of another user, but there.
    return codeOf(cause) === "EPERM" ? "another user's" : undefined
  }
}

/** Whether it is ours now. A folder that cannot be written to has nothing that two could write. */
const take = (lock) => {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" })
    return true
  } catch (cause) {
    return codeOf(cause) !== "EEXIST"
  }
}

/** Does the work while no other process does its own under the same lock, a file; waits for that, and says so. */
export const alone = async (lock, work) => {
  let told
  while (!take(lock)) {
    const holder = holderOf(lock)
    if (holder === undefined) {
      rmSync(lock, { force: true })
      continue
    }
    // 0 of one that has not said yet who it is.
    if (told !== holder && holder !== 0)
      console.log(`Waiting for another build (process ${holder}); without one, delete ${lock}.`)
    told = holder
    await setTimeout(100)
  }
  const giveBack = () => rmSync(lock, { force: true })
  process.once("exit", giveBack)
  try {
    return await work()
  } finally {
    giveBack()
    process.off("exit", giveBack)
  }
}
