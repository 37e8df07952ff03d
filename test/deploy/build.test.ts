/** How a checkout is built: the addon from its source, and one build at a time. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { createInterface } from "node:readline"
import { afterAll, describe, expect, it } from "@effect/vitest"
import { compile } from "../../scripts/addon.js"
import { alone } from "../../scripts/alone.js"

const folder = mkdtempSync(join(tmpdir(), "sluice-build-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("the addon of Node 20", () => {
  it("is compiled by npm with the word to build from source", () => {
    const at = join(folder, "node_modules", "better-sqlite3-12")
    mkdirSync(at, { recursive: true })
    writeFileSync(
      join(folder, "package.json"),
      JSON.stringify({ name: "x", version: "1.0.0", dependencies: { "better-sqlite3-12": "1.0.0" } }),
    )
    const install = `node -e "require('fs').writeFileSync('told', String(process.env.npm_config_build_from_source))"`
    writeFileSync(
      join(at, "package.json"),
      JSON.stringify({ name: "better-sqlite3-12", version: "1.0.0", scripts: { install } }),
    )
    const { status, stderr } = compile(folder)
    expect([status, stderr]).toEqual([0, expect.any(String)])
    expect(readFileSync(join(at, "told"), "utf8")).toBe("true")
  })

  it("is then not asked for anywhere, as it is without that word", async () => {
    const asked: Array<string | undefined> = []
    const releases = createServer((request, response) => {
      asked.push(request.url)
      response.writeHead(404).end()
    }).listen(0, "127.0.0.1")
    await once(releases, "listening")
    const address = releases.address()
    const host = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`
    const at = join(folder, "package")
    mkdirSync(at)
    writeFileSync(
      join(at, "package.json"),
      JSON.stringify({
        name: "better-sqlite3",
        version: "12.11.1",
        repository: { url: "git+https://x.test/a/b.git" },
      }),
    )
    const prebuild = createRequire(import.meta.url).resolve("prebuild-install/bin.js")
    const run = async (env: Readonly<Record<string, string>>) => {
      const child = spawn(process.execPath, [prebuild], {
        cwd: at,
        env: { HOME: folder, npm_config_better_sqlite3_binary_host: host, npm_config_cache: folder, ...env },
      })
      const [code]: ReadonlyArray<unknown> = await once(child, "close")
      return code
    }
    expect(await run({ npm_config_build_from_source: "true" })).toBe(1)
    expect(asked).toEqual([])
    expect(await run({})).toBe(1)
    expect(asked).not.toEqual([])
    releases.close()
  })

  it.runIf(Number(process.versions.node.split(".")[0]) < 22)("lies there as it was compiled here", () => {
    expect(existsSync("node_modules/better-sqlite3-12/build/config.gypi")).toBe(true)
  })
})

describe("a build", () => {
  const lock = join(folder, "lock")

  /** A process that says `begun` when it has the lock, and keeps it until its input ends. */
  const builder = () =>
    spawn(
      process.execPath,
      [
        "--input-type=module",
        "--eval",
        `import { alone } from ${JSON.stringify(resolve("scripts/alone.js"))}
        await alone(${JSON.stringify(lock)}, async () => {
          console.log("begun")
          for await (const _ of process.stdin);
        })`,
      ],
      { stdio: ["pipe", "pipe", "inherit"] },
    )

  const linesOf = (child: ChildProcess) => {
    if (child.stdout === null) throw new Error("no output")
    return createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  it("waits for another one of the same checkout, and says for which", async () => {
    const first = builder()
    expect((await linesOf(first).next()).value).toBe("begun")
    const second = builder()
    const lines = linesOf(second)
    expect((await lines.next()).value).toBe(
      `Waiting for another build (process ${first.pid}); without one, delete ${lock}.`,
    )
    first.stdin?.end()
    expect((await lines.next()).value).toBe("begun")
    second.stdin?.end()
    await once(second, "close")
    expect(existsSync(lock)).toBe(false)
  })

  it("does not wait for one that was killed", async () => {
    const killed = builder()
    await linesOf(killed).next()
    killed.kill("SIGKILL")
    await once(killed, "close")
    expect(existsSync(lock)).toBe(true)
    const next = builder()
    expect((await linesOf(next).next()).value).toBe("begun")
    next.stdin?.end()
    await once(next, "close")
  })

  it("does not wait for one of its own number, nor where nothing can be written", async () => {
    writeFileSync(lock, String(process.pid))
    expect(await alone(lock, () => "built")).toBe("built")
    expect(await alone(join(folder, "absent", "lock"), () => "built")).toBe("built")
  })

  it("that fails lets the next one begin", async () => {
    await expect(alone(lock, () => Promise.reject(new Error("no")))).rejects.toThrow("no")
    expect(existsSync(lock)).toBe(false)
  })

  it("of a Node that is too old is refused, in words", () => {
    const { stderr, status } = spawnSync(
      process.execPath,
      [
        "--import",
        `data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.19.0"})`,
        "scripts/build.js",
        "changed",
      ],
      { encoding: "utf8" },
    )
    expect([status, stderr]).toEqual([1, expect.stringContaining("Sluice needs Node 20.19.2 or later")])
  })
})
