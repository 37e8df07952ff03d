/** The dashboard's page: the files that the build made, read when somebody first asks for them and kept. What they show is asked of the admin API. */
import { readdir, readFile } from "node:fs/promises"
import { gzip } from "node:zlib"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ClientAnswer } from "../gateway/Exchange.ts"
import type { ReceivedHeaders } from "../wire/Headers.ts"
import { dashboardRoot } from "./AdminPaths.ts"
import { acceptsGzip, headersOf, pageName } from "./PageHeaders.ts"

/** A file as it is, and packed. */
interface PageFile {
  readonly bytes: Uint8Array
  readonly packed: Uint8Array
}

interface PageAsked {
  readonly path: string
  /** The path as it came, with its query. */
  readonly target: string
  readonly headers: ReceivedHeaders
}

export class Dashboard extends Context.Tag("Dashboard")<
  Dashboard,
  {
    /** What stands at a path that begins with the dashboard's; nothing where nothing does. */
    readonly answer: (asked: PageAsked) => Effect.Effect<ClientAnswer | undefined>
  }
>() {}

const packed = (bytes: Uint8Array): Effect.Effect<Uint8Array, Error> =>
  Effect.async((resume) =>
    gzip(bytes, { level: 9 }, (error, result) =>
      resume(error === null ? Effect.succeed(result) : Effect.fail(error)),
    ),
  )

const read = (file: URL): Effect.Effect<PageFile, unknown> =>
  Effect.flatMap(
    Effect.tryPromise(() => readFile(file)),
    (bytes) => Effect.map(packed(bytes), (small) => ({ bytes, packed: small })),
  )

const readAll = (folder: URL) =>
  Effect.gen(function* () {
    const names = yield* Effect.tryPromise(() => readdir(folder))
    const files = yield* Effect.forEach(names, (name) => read(new URL(name, folder)))
    return new Map(names.map((name, index) => [name, files[index]] as const))
  })

/** A slash at the end, where the page's relative addresses would lead elsewhere. */
const endsInSlash = (target: string): boolean => /^[^?#]*\/(?:[?#]|$)/.test(target)

/** By a relative address, so that it leads on behind a path of a proxy too. */
const withoutSlash: ClientAnswer = {
  status: 308,
  headers: { location: `..${dashboardRoot}` },
  body: new Uint8Array(),
}

/** @param folder where the build left the files */
export const layer = (folder: URL) =>
  Layer.effect(
    Dashboard,
    Effect.map(Effect.cached(readAll(folder)), (files) => ({
      answer: ({ headers, path, target }) => {
        if (path === dashboardRoot && endsInSlash(target)) return Effect.succeed(withoutSlash)
        const name = path === dashboardRoot ? pageName : path.slice(dashboardRoot.length + 1)
        return files.pipe(
          Effect.map((all) => {
            const file = all.get(name)
            if (file === undefined) return undefined
            const isPacked = acceptsGzip(headers["accept-encoding"])
            return {
              status: 200,
              headers: headersOf(name, isPacked),
              body: isPacked ? file.packed : file.bytes,
            }
          }),
          // Without a build there is no page: `npm run build` makes it.
          Effect.orDie,
        )
      },
    })),
  )
