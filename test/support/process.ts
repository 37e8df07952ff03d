/** The built gateway as a process of its own, with its log to wait on. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export interface Exited {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface GatewayProcess {
  readonly process: ChildProcess
  /** The first log line, past or to come, whose message begins so. Fails the test if the process ends before. */
  readonly logged: (message: string) => Effect.Effect<Readonly<Record<string, unknown>>>
  readonly exited: Effect.Effect<Exited>
  readonly signal: (name: NodeJS.Signals) => Effect.Effect<void>
}

/** Where a process that logged `listening` is reached, without `/v1`. */
export const addressOf = (gateway: GatewayProcess): Effect.Effect<string> =>
  Effect.map(gateway.logged("listening"), ({ address }) => String(address))

/** The processes that a gateway of several started, by their numbers. */
export const workersOf = ({ process: { pid } }: Pick<GatewayProcess, "process">): ReadonlyArray<number> =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number)

/** Node with these arguments; under a limit of open files, by a shell that it replaces. */
const programOf = (
  args: ReadonlyArray<string>,
  files: number | undefined,
): [string, ReadonlyArray<string>] =>
  files === undefined
    ? [process.execPath, args]
    : ["sh", ["-c", `ulimit -n ${files} && exec "$0" "$@"`, process.execPath, ...args]]

/**
 * Runs `sluice` with these arguments and an audit of its own; killed with the scope if it is still there.
 *
 * @param files how many files it may have open
 */
export const sluice = (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
  files?: number,
): Effect.Effect<GatewayProcess, never, Scope.Scope> =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-process-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true })),
    )
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(...programOf(["dist/sluice.js", ...args], files), {
          env: {
            PATH: process.env["PATH"],
            LOG_FORMAT: "json",
            SERVER_HOST: "127.0.0.1",
            AUDIT_URL: `sqlite:${folder}/record.db`,
            ...env,
          },
          stdio: ["ignore", "pipe", "pipe"],
        }),
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL")),
    )
    const stdout: Array<string> = []
    const stderr: Array<string> = []
    const listeners = new Set<() => void>()
    const changed = () => {
      for (const listener of [...listeners]) listener()
    }
    createInterface({ input: child.stdout }).on("line", (line) => {
      stdout.push(line)
      changed()
    })
    createInterface({ input: child.stderr }).on("line", (line) => stderr.push(line))
    let exit: Exited | undefined
    child.once("close", (code, signal) => {
      exit = { code, signal, stdout: stdout.join("\n"), stderr: stderr.join("\n") }
      changed()
    })

    /** Waits until `look` finds something, looking again whenever anything happened. */
    const await_ = <A>(look: () => Effect.Effect<A> | undefined): Effect.Effect<A> =>
      Effect.async((resume) => {
        const attempt = () => {
          const found = look()
          if (found === undefined) return
          listeners.delete(attempt)
          resume(found)
        }
        listeners.add(attempt)
        attempt()
      })

    const lines = (): ReadonlyArray<Readonly<Record<string, unknown>>> =>
      stdout.flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []))

    return {
      process: child,
      logged: (message) =>
        await_(() => {
          const line = lines().find((one) => String(one["message"]).startsWith(message))
          if (line !== undefined) return Effect.succeed(line)
          return exit === undefined
            ? undefined
            : Effect.die(
                new Error(`the gateway ended before it logged "${message}": ${JSON.stringify(exit)}`),
              )
        }),
      exited: await_(() => (exit === undefined ? undefined : Effect.succeed(exit))),
      signal: (name) => Effect.sync(() => void child.kill(name)),
    }
  })
