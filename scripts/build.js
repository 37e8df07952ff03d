/**
 * Bundles the programs into `dist/`: one file each starts in a third of the time that loading some hundred modules takes. With `shipped` only those
 * people run; with `changed` those and the demo, unless they are newer than what they are made of.
 */
import { readdirSync, statSync } from "node:fs"
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { basename } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { ensureAddon } from "./addon.js"
import { alone } from "./alone.js"
import { tooOld } from "./nodeVersion.js"
import { sqliteAddon } from "./sqliteAddon.js"

/**
 * undici without its `fetch`, caches, mocks and HTTP/2, none of which Sluice uses: a quarter of the program's text, and Node's own modules for all
 * of these, are loaded at the start otherwise.
 */
const leanUndici = {
  name: "lean-undici",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^undici$/ }, () => ({
      path: fileURLToPath(new URL("./undici.js", import.meta.url)),
    }))
    onLoad({ filter: /undici\/lib\/(dispatcher\/client-h2|web\/fetch\/body)\.js$/ }, () => ({ contents: "" }))
  },
}

/** OpenTelemetry's exporters are loaded where something is exported, and nowhere else: they stay a program of their own. */
const lazyExport = {
  name: "lazy-export",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/Export\.ts$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./otlp-export.js", external: true } : undefined,
    )
  },
}

/** Whoever asserts does it cheaply. */
const cheapAssert = fileURLToPath(new URL("./assert.cjs", import.meta.url))

const bundle = (entry, outfile, options = {}) =>
  build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "linked",
    sourcesContent: false,
    legalComments: "none",
    alias: {
      ...sqliteAddon,
      ...Object.fromEntries(
        ["assert", "assert/strict"].flatMap((name) => [
          [name, cheapAssert],
          [`node:${name}`, cheapAssert],
        ]),
      ),
    },
    // A text half as long is loaded sooner and kept in less memory. Names stay, for what a stack says.
    minifyWhitespace: true,
    minifySyntax: true,
    // Node prints the line in which an error was thrown that nobody caught.
    lineLimit: 500,
    logLevel: "warning",
    // CommonJS dependencies call `require` for Node's own modules.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    ...options,
  })

/** What people run, and the programs of its threads. */
const programs = [
  "dist/sluice.js",
  "dist/audit-thread.js",
  "dist/read-thread.js",
  "dist/aside-thread.js",
  "dist/brotli-thread.js",
  "dist/otlp-export.js",
]

/** The decoder that the last of them runs, as its package has it. */
const wasm = fileURLToPath(import.meta.resolve("brotli-dec-wasm/web/bg.wasm"))

/**
 * The dashboard: its program and its style by names that say what is in them, which browsers may keep for ever, and the page that names both. What an
 * earlier build left is removed last, so that a gateway that runs meanwhile finds one of the two.
 */
const dashboard = async () => {
  const { metafile } = await build({
    entryPoints: { dashboard: "dashboard/Main.tsx" },
    outdir: "dist/dashboard",
    entryNames: "[name]-[hash]",
    bundle: true,
    platform: "browser",
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    minify: true,
    // ASCII, whatever a proxy says of its characters.
    charset: "ascii",
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  })
  const made = Object.keys(metafile.outputs).map((path) => basename(path))
  const named = (kind) => `dashboard/${made.find((name) => name.endsWith(kind))}`
  const page = await readFile("dashboard/index.html", "utf8")
  const filled = page.replace("{{program}}", named(".js")).replace("{{style}}", named(".css"))
  await writeFile("dist/dashboard/index.html", filled)
  for (const name of await readdir("dist/dashboard")) {
    if (name !== "index.html" && !made.includes(name)) await rm(`dist/dashboard/${name}`)
  }
}

/** Bundles these. */
const shipped = () => [
  bundle("src/main.ts", "dist/sluice.js", { plugins: [leanUndici, lazyExport] }),
  bundle("src/telemetry/otlp/Export.ts", "dist/otlp-export.js"),
  bundle("src/audit/sqlite/ThreadProgram.ts", "dist/audit-thread.js"),
  bundle("src/audit/read/ReadThread.ts", "dist/read-thread.js"),
  bundle("src/aside/AsideThread.ts", "dist/aside-thread.js"),
  bundle("src/wire/brotli-thread.js", "dist/brotli-thread.js"),
  copyFile(wasm, "dist/brotli.wasm"),
  dashboard(),
]

/** It asserts what it shows, by more than one of `node:assert`'s ways. */
const demo = () => bundle("scripts/demo.ts", "dist/demo.js", { packages: "external", alias: sqliteAddon })

/** What only a checkout needs: their dependencies stay where they are. */
const ofCheckout = () => [
  demo(),
  bundle("soak/Soak.ts", "dist/soak.js", { packages: "external" }),
  bundle("attack/Attack.ts", "dist/attack.js", { packages: "external" }),
  bundle("attack/Watch.ts", "dist/attack-watch.js"),
  bundle("bench/Bench.ts", "dist/bench.js", { packages: "external" }),
  bundle("bench/Mock.ts", "dist/bench-mock.js"),
  bundle("bench/Load.ts", "dist/bench-load.js"),
  bundle("bench/Floor.ts", "dist/bench-floor.js"),
  bundle("bench/AuditPages.ts", "dist/bench-audit-pages.js"),
  bundle("bench/Weighed.ts", "dist/bench-weighed.js"),
  bundle("bench/LoopHeld.ts", "dist/bench-loop.js"),
  bundle("bench/Handover.ts", "dist/bench-handover.js", { packages: "external" }),
  bundle("scripts/generate.ts", "dist/generate.js", { packages: "external" }),
  bundle("scripts/screenshots.ts", "dist/screenshots.js", { external: ["playwright-core"] }),
]

/** When a file was written, in epoch milliseconds; before all others if it is not there. */
const writtenAt = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

/** Whether what `npm start` and `npm run demo` run is newer than all it is made of, dependencies by their lockfile. */
const isUpToDate = () => {
  const sources = ["src", "scripts", "dashboard"].flatMap((folder) =>
    readdirSync(folder, { recursive: true }).map((name) => `${folder}/${name}`),
  )
  const made = Math.min(...[...programs, "dist/dashboard/index.html", "dist/demo.js"].map(writtenAt))
  return [...sources, "package.json", "package-lock.json"].every((path) => writtenAt(path) < made)
}

/** V8 keeps a text with a single character beyond Latin-1 in twice the memory; esbuild escapes those in strings, and leaves them in regular expressions. */
const insistOnLatin1 = async (path) => {
  const found = /[^\0-\xff]+/.exec(await readFile(path, "utf8"))
  if (found !== null) throw new Error(`${path} holds "${found[0]}": write it as \\u escapes`)
}

const which = process.argv[2]

const { engines } = JSON.parse(await readFile("package.json", "utf8"))
const refusal = tooOld(process.versions.node, engines.node)
if (refusal !== undefined) {
  console.error(refusal)
  process.exit(1)
}
await alone("node_modules/.sluice-build", async () => {
  if (which !== "shipped") ensureAddon()
  if (which === "changed" && isUpToDate()) return
  // In a fresh checkout there is none before the first bundle is written.
  await mkdir("dist", { recursive: true })
  await Promise.all(
    which === "shipped"
      ? shipped()
      : which === "changed"
        ? [...shipped(), demo()]
        : [...shipped(), ...ofCheckout()],
  )
  await Promise.all(programs.map(insistOnLatin1))
})
