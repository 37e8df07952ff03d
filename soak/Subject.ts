/** The gateway under test, a process of its own: its configuration, figures from the outside, and its end. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import Database from "better-sqlite3"
import type { Sample } from "./Verdict.ts"

export interface SubjectOptions {
  /** For Node, before the program. */
  readonly nodeArgs?: ReadonlyArray<string>
  /** Told each line of the log. */
  readonly onLine?: (line: string) => void
}

export interface Subject {
  readonly port: number
  /** All it writes: the audit with its spill, and the figures of whoever watches it from within. */
  readonly folder: string
  /** The largest resident set of its life, MB. */
  readonly peakMb: () => number
  /** Put in force as an editor would: written beside, then renamed. */
  readonly reload: (config: string) => void
  readonly figures: () => Omit<Sample, "seconds">
  readonly health: () => Promise<Health>
  /** Holds the audit's database for so long. */
  readonly lockAudit: (forMs: number) => Promise<void>
  /** How often each request stands in the audit; to be asked when it has ended. */
  readonly auditedIds: () => ReadonlyMap<string, number>
  /** Lines that should not be there. */
  readonly unexpected: () => ReadonlyArray<string>
  readonly end: () => Promise<number | null>
  readonly dispose: () => void
}

/** The part of `/health?verbose` that tells whether anything is under way. */
export interface Health {
  readonly requests: { readonly in_flight: number; readonly buffered_bytes: number }
  readonly upstreams: ReadonlyArray<{ readonly in_flight: number; readonly waiting: number }>
  readonly audit: { readonly queued: number; readonly spilled: number; readonly lost: number }
}

/** What the gateway may log at `error` while a soak does to it what soaks do: wrong edits, keys refused, a locked database. */
const expected = [
  "has errors; still serving the previous configuration",
  "config.yaml:",
  "refuses",
  "audit: the database takes no rows",
]

/** Whatever is no line of the log is said by Node itself: a warning, or a rejection that nobody handled. */
const isSurprising = (line: string): boolean =>
  !line.startsWith("{") ||
  (line.includes('"level":"error"') && !expected.some((message) => line.includes(message)))

const maxLines = 1_000

const parseHealth = (text: string): Health => JSON.parse(text)

export const startSubject = async (
  config: string,
  { nodeArgs = [], onLine }: SubjectOptions = {},
): Promise<Subject> => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-soak-"))
  const configPath = join(folder, "config.yaml")
  writeFileSync(configPath, config)
  const child: ChildProcess = spawn(
    process.execPath,
    [...nodeArgs, "dist/sluice.js", "serve", "--port", "0"],
    {
      env: {
        PATH: process.env["PATH"],
        CONFIG_PATH: configPath,
        LOG_FORMAT: "json",
        SERVER_HOST: "127.0.0.1",
        AUDIT_URL: `sqlite:${join(folder, "record.db")}`,
        SHUTDOWN_GRACE_SECONDS: "10",
        ATTACK_WATCH: join(folder, "held"),
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  )
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve))
  const surprising: Array<string> = []
  const listening = new Promise<number>((resolve, reject) => {
    void exited.then((code) =>
      reject(new Error(`the gateway ended with code ${code}: ${surprising.join("\n")}`)),
    )
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue
      createInterface({ input: stream }).on("line", (line) => {
        onLine?.(line)
        if (isSurprising(line)) {
          if (surprising.length < maxLines) surprising.push(line)
        } else if (line.includes('"message":"listening"')) {
          resolve(Number(/:(\d+)"/.exec(line.slice(line.indexOf('"address"')))?.[1]))
        }
      })
    }
  })
  const port = await listening
  const origin = `http://127.0.0.1:${port}`
  const megabytesOf = (line: RegExp): number =>
    Number(line.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1] ?? 0) / 1024
  return {
    port,
    folder,
    peakMb: () => megabytesOf(/VmHWM:\s+(\d+)/),
    reload: (text) => {
      writeFileSync(`${configPath}.new`, text)
      renameSync(`${configPath}.new`, configPath)
    },
    figures: () => ({
      rssMb: megabytesOf(/VmRSS:\s+(\d+)/),
      fds: readdirSync(`/proc/${child.pid}/fd`).length,
    }),
    health: async () => {
      const answer = await fetch(`${origin}/health?verbose`, { headers: { connection: "close" } })
      return parseHealth(await answer.text())
    },
    lockAudit: async (forMs) => {
      const database = new Database(join(folder, "record.db"))
      try {
        database.exec("BEGIN EXCLUSIVE")
        await new Promise((resolve) => setTimeout(resolve, forMs))
        database.exec("ROLLBACK")
      } catch {
        // The gateway was just writing: it is locked another time.
      } finally {
        database.close()
      }
    },
    auditedIds: () => {
      const database = new Database(join(folder, "record.db"), { readonly: true })
      const rows = database.prepare("SELECT id, count(*) AS times FROM requests GROUP BY id").raw().all()
      database.close()
      return new Map(rows.map(([id, times]) => [String(id), Number(times)]))
    },
    unexpected: () => surprising,
    end: () => {
      child.kill("SIGTERM")
      return exited
    },
    dispose: () => {
      child.kill("SIGKILL")
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
