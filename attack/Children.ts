/** The parts of an attack that run in processes of their own, so that what they cost is not taken from the one that measures. */
import { type ChildProcess, fork } from "node:child_process"
import { constants, setPriority } from "node:os"
import type { Phase } from "./Plan.ts"

export type Role = "hostile-callers" | "hostile-providers" | "ordinary-callers"

export interface Part<Report> {
  /** What it said first. */
  readonly ready: Promise<string>
  readonly tell: (what: string) => void
  readonly enter: (phase: Phase) => void
  /** Tells it to end, and gives what it reports. */
  readonly end: () => Promise<Report>
  readonly kill: () => void
}

/** Starts this program again, in one of its roles. */
export const startPart = <Report>(
  role: Role,
  args: ReadonlyArray<string>,
  read: (report: unknown) => Report,
): Part<Report> => {
  const child: ChildProcess = fork(process.argv[1] ?? "", [role, ...args], { execArgv: [], stdio: "inherit" })
  const messages: Array<unknown> = []
  const readers: Array<(message: unknown) => void> = []
  child.on("message", (message) => {
    const reader = readers.shift()
    if (reader === undefined) messages.push(message)
    else reader(message)
  })
  const next = () =>
    new Promise<unknown>((resolve, reject) => {
      if (messages.length > 0) return resolve(messages.shift())
      readers.push(resolve)
      child.once("exit", (code) => reject(new Error(`${role} ended with code ${code}`)))
    })
  return {
    ready: next().then(String),
    tell: (what) => void child.send(what),
    enter: (phase) => void child.send(phase),
    end: async () => {
      const report = next()
      child.send("end")
      const given = read(await report)
      child.disconnect()
      return given
    },
    kill: () => void child.kill("SIGKILL"),
  }
}

/** The other side: tells that it is there, goes along with the phases, and reports at the end. */
export const bePart = (
  ready: string,
  enter: (phase: Phase) => void,
  report: () => Promise<unknown>,
): void => {
  process.on("message", (message) => {
    if (message === "quiet" || message === "attack" || message === "settling") enter(message)
    if (message === "end")
      void report().then((given) => process.send?.(given, undefined, {}, () => process.exit(0)))
  })
  process.on("disconnect", () => process.exit(0))
  process.send?.(ready)
}

/** Attackers have machines of their own in earnest: here they take only what nobody else wants. */
export const stepBack = (): void => setPriority(constants.priority.PRIORITY_LOW)
