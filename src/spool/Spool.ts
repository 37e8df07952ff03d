/**
 * Where bodies are kept that are too long for memory: files in the folder for temporary ones (`TMPDIR`), readable by their owner alone, and without a name as
 * soon as they are open. Where no file can be made there, bodies stay in memory, which is said once.
 */
import { randomUUID } from "node:crypto"
import { type FileHandle, open, readdir, unlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SpooledBody, type SpoolRoom } from "./SpooledBody.ts"

export class Spool extends Context.Tag("sluice/Spool")<
  Spool,
  {
    /** Begins to keep a body; `close` is to be called when it is over. */
    readonly begin: (room: SpoolRoom) => SpooledBody
    /** Whether what is too long for memory is kept in files. */
    readonly hasFiles: boolean
  }
>() {}

const prefix = "sluice-upload-"

/** A file that is there for as long as it is open. */
const openIn = async (folder: string): Promise<FileHandle> => {
  const path = join(folder, `${prefix}${process.pid}-${randomUUID()}`)
  const file = await open(path, "wx+", 0o600)
  try {
    await unlink(path)
  } catch {
    // Where open files keep their names, `clean` takes them away.
  }
  return file
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (cause) {
    // It is, and somebody else's.
    return cause instanceof Error && "code" in cause && cause.code === "EPERM"
  }
}

/** Takes away what is left of processes that are gone: they may have died between making a file and taking its name. */
const clean = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) {
    const [, pid] = /^sluice-upload-(\d+)-[\da-f-]+$/.exec(name) ?? []
    if (pid === undefined || (Number(pid) !== process.pid && isAlive(Number(pid)))) continue
    await unlink(join(folder, name)).catch(() => {})
  }
}

/** Whether files can be made in a folder, tried once. */
const prepare = (folder: string) =>
  Effect.tryPromise(async () => {
    const file = await openIn(folder)
    await file.close()
    await clean(folder)
  })

export const layer = (folder = tmpdir()): Layer.Layer<Spool> =>
  Layer.effect(
    Spool,
    prepare(folder).pipe(
      Effect.as(true),
      Effect.catchAll(({ error }) =>
        Effect.as(
          Effect.logWarning(
            `no file can be made in ${folder}, so uploads stay in memory, none longer than server.max_body_bytes; set TMPDIR to a folder that can be written to`,
            { reason: String(error) },
          ),
          false,
        ),
      ),
      Effect.map((hasFiles) =>
        Spool.of({
          hasFiles,
          begin: (room) => new SpooledBody(hasFiles ? () => openIn(folder) : undefined, room),
        }),
      ),
    ),
  )
