/** Processes of the benchmarks and what Linux tells of them: CPU time and memory of each with its children, and what the rest of the machine did meanwhile. */
import { type ChildProcess, spawn } from "node:child_process"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { createInterface } from "node:readline"

/** Kernel ticks per second; Linux has used 100 for user space since 2.6. */
const ticksPerSecond = 100

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

/** The fields behind the command, which may hold spaces. */
const statOf = (pid: number): ReadonlyArray<string> => {
  const text = read(`/proc/${pid}/stat`)
  return text.slice(text.lastIndexOf(")") + 2).split(" ")
}

/** The process and all beneath it. */
export const treeOf = (root: number): ReadonlyArray<number> => {
  const parents = readdirSync("/proc").flatMap((name) => {
    const pid = Number(name)
    return Number.isInteger(pid) ? [[pid, Number(statOf(pid)[1])] as const] : []
  })
  const found = [root]
  for (const parent of found) {
    for (const [pid, of] of parents) if (of === parent && !found.includes(pid)) found.push(pid)
  }
  return found
}

/** CPU seconds of these processes, all threads. */
export const cpuSeconds = (pids: ReadonlyArray<number>): number =>
  pids.reduce((sum, pid) => {
    const stat = statOf(pid)
    return sum + (Number(stat[11] ?? 0) + Number(stat[12] ?? 0)) / ticksPerSecond
  }, 0)

/** CPU seconds of the whole machine that were not idle, nor waiting for a disk. */
export const busySeconds = (): number => {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (
    read("/proc/stat").split("\n", 1)[0] ?? ""
  )
    .split(/ +/)
    .map(Number)
  return (user + nice + system + irq + softirq + steal) / ticksPerSecond
}

const statusMb = (pids: ReadonlyArray<number>, line: RegExp): number =>
  pids.reduce((sum, pid) => sum + Number(line.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024, 0)

/** Largest resident set since it was forgotten, MB. */
export const peakMb = (pids: ReadonlyArray<number>): number => statusMb(pids, /VmHWM:\s+(\d+)/)

/** Resident set now, MB. */
export const residentMb = (pids: ReadonlyArray<number>): number => statusMb(pids, /VmRSS:\s+(\d+)/)

/** Lets the largest resident set begin anew. */
export const forgetPeak = (pids: ReadonlyArray<number>): void => {
  for (const pid of pids) {
    try {
      writeFileSync(`/proc/${pid}/clear_refs`, "5")
    } catch {
      // Not allowed here: the peak is then that of the whole life.
    }
  }
}

export interface Started {
  readonly child: ChildProcess
  /** The next line on its standard output. */
  readonly line: () => Promise<string>
  readonly stop: () => Promise<void>
}

export interface StartOptions {
  /** The one core it may use; all where left out. */
  readonly core?: number | undefined
  readonly env?: Readonly<Record<string, string>>
  /** Whether its standard output is read. */
  readonly reads?: boolean
  /** Whether what it says on standard error is thrown away. */
  readonly isMuted?: boolean
}

/** Whether processes can be bound to a core here. */
export const canPin =
  read("/usr/bin/taskset") !== "" && readdirSync("/sys/devices/system/cpu").includes("cpu1")

const all: Array<ChildProcess> = []
process.on("exit", () => {
  for (const child of all) child.kill("SIGKILL")
})

export const start = (command: string, args: ReadonlyArray<string>, options: StartOptions = {}): Started => {
  const { core, env = {}, isMuted = false, reads = true } = options
  const whole =
    core === undefined || !canPin ? [command, ...args] : ["taskset", "-c", String(core), command, ...args]
  const child = spawn(whole[0] ?? "", whole.slice(1), {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", reads ? "pipe" : "ignore", isMuted ? "ignore" : "inherit"],
  })
  all.push(child)
  const lines: Array<string> = []
  const readers: Array<(line: string) => void> = []
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const reader = readers.shift()
      if (reader === undefined) lines.push(line)
      else reader(line)
    })
  }
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()))
  return {
    child,
    line: () =>
      new Promise((resolve, reject) => {
        const ready = lines.shift()
        if (ready !== undefined) {
          resolve(ready)
          return
        }
        readers.push(resolve)
        void exited.then(() => reject(new Error(`${whole.join(" ").slice(0, 200)} ended`)))
      }),
    stop: () => {
      child.kill("SIGTERM")
      return exited
    },
  }
}

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0))
    })
  })
