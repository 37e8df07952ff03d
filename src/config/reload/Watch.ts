/** Notices that a file may have changed, through symbolic links and replaced directories. */
import { basename, dirname, join, parse, resolve, sep } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** A directory to watch and the names in it that matter. */
interface Watched {
  readonly directory: string
  readonly names: ReadonlySet<string>
}

/** As many as Linux follows. */
const mostLinks = 40

/** A watcher that ends sooner does not work here (no inotify instances left, no events on this file system). */
const provenAfterMs = 1000

/**
 * The directories in which a change of `path` shows: the one that holds the file, and each that holds a symbolic link on the way to it
 * (Kubernetes replaces the link `..data`). Watching the file itself would go dead with the first atomic rename.
 */
const watchedDirectories = (fs: FileSystem.FileSystem, path: string): Effect.Effect<ReadonlyArray<Watched>> =>
  Effect.gen(function* () {
    const names = new Map<string, Set<string>>()
    const note = (directory: string, name: string) => {
      const noted = names.get(directory)
      // Its own name is what a directory's watcher reports when the directory itself is moved or removed.
      if (noted === undefined) names.set(directory, new Set([name, basename(directory)]))
      else noted.add(name)
    }
    const start = (absolute: string) => {
      const { root } = parse(absolute)
      return { at: root, ahead: absolute.slice(root.length).split(sep) }
    }
    let { at, ahead } = start(resolve(path))
    let links = 0
    while (true) {
      const [step, ...rest] = ahead
      if (step === undefined) break
      const here = join(at, step)
      const target = links < mostLinks ? yield* Effect.option(fs.readLink(here)) : Option.none()
      if (Option.isSome(target)) {
        links++
        note(at, step)
        const resolved = start(resolve(at, target.value))
        at = resolved.at
        ahead = [...resolved.ahead, ...rest]
      } else {
        at = here
        ahead = rest
      }
    }
    note(dirname(at), basename(at))
    return [...names].map(([directory, names]) => ({ directory, names }))
  })

/** Tells a directory from another that later stands under the same name. */
const identityOf = (fs: FileSystem.FileSystem, directory: string): Effect.Effect<string> =>
  fs.stat(directory).pipe(
    Effect.map(({ dev, ino, birthtime }) =>
      [
        dev,
        Option.getOrElse(ino, () => 0),
        Option.match(birthtime, { onNone: () => 0, onSome: Number }),
      ].join(":"),
    ),
    Effect.orElseSucceed(() => "absent"),
  )

export interface Watch {
  /**
   * Looks at the way to the file anew: watches what is not watched yet, restarts watchers that died, drops those of directories that
   * were replaced. To be run before each reading.
   */
  readonly renew: Effect.Effect<void>
}

/** Calls `wake` whenever the file at `path` may have changed. Where events are not delivered it never does: poll beside it. */
export const makeWatch = (
  path: string,
  wake: Effect.Effect<void>,
): Effect.Effect<Watch, never, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const watchers = yield* FiberMap.make<string>()
    let known: ReadonlySet<string> = new Set()

    const watch = ({ directory, names }: Watched): Effect.Effect<void> =>
      Effect.gen(function* () {
        const begun = yield* Clock.currentTimeMillis
        let told = false
        yield* fs.watch(directory).pipe(
          Stream.runForEach((event) => {
            told = true
            return names.has(basename(event.path)) ? wake : Effect.void
          }),
          Effect.ignore,
        )
        // Its end is news too, and renews it; but not over and over where watching does not work.
        const lived = (yield* Clock.currentTimeMillis) - begun
        if (told || lived >= provenAfterMs) yield* wake
      })

    const renew = Effect.gen(function* () {
      const found = new Map<string, Watched>()
      for (const watched of yield* watchedDirectories(fs, path)) {
        found.set(
          `${watched.directory} ${yield* identityOf(fs, watched.directory)} ${[...watched.names]}`,
          watched,
        )
      }
      for (const key of known) if (!found.has(key)) yield* FiberMap.remove(watchers, key)
      for (const [key, watched] of found) {
        yield* FiberMap.run(watchers, key, watch(watched), { onlyIfMissing: true })
        // What happened before the watcher stood went unseen.
        if (!known.has(key)) yield* wake
      }
      known = new Set(found.keys())
    })

    return { renew }
  })
