/** A real browser, where this machine has one: Chromium, by `CHROMIUM` or where Debian puts it. None is downloaded. */
import { existsSync } from "node:fs"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core"

const named = process.env["CHROMIUM"]

/** Where it is. Nothing where there is none; one that is named has to be there. */
export const chromiumPath =
  named ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path))

export const launch = (): Promise<Browser> =>
  chromium.launch({
    ...(chromiumPath === undefined ? {} : { executablePath: chromiumPath }),
    // Containers let nobody make namespaces, and what is shown here is ours.
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  })

/** A page, and everything that should not happen on it. */
export interface Visit {
  readonly page: Page
  readonly context: BrowserContext
  /** Dialogs, errors nobody caught, and what its policy forbade. */
  readonly faults: ReadonlyArray<string>
  /** What was asked, in order. */
  readonly asked: ReadonlyArray<URL>
}

/** Opens an address in a context of its own, which ends with the scope. */
export const visit = (
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Effect.Effect<Visit, never, Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.acquireRelease(
      Effect.promise(() => browser.newContext({ reducedMotion: "reduce", ...options })),
      (opened) => Effect.promise(() => opened.close()),
    )
    const faults: Array<string> = []
    const asked: Array<URL> = []
    context.on("request", (request) => void asked.push(new URL(request.url())))
    const page = yield* Effect.promise(() => context.newPage())
    page.on("dialog", (dialog) => {
      faults.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on("pageerror", (error) => void faults.push(`error: ${error.message}`))
    page.on("console", (message) => {
      const text = message.text()
      if (/Content Security Policy|Trusted/i.test(text)) faults.push(text)
    })
    yield* Effect.promise(() => page.goto(address))
    return { page, context, faults, asked }
  })
