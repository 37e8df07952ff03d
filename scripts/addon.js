/**
 * Node 20's database addon, which does not come compiled. Installing runs no scripts (`.npmrc`): npm would otherwise start node-gyp for the addon that
 * does come compiled (it lists a binding.gyp), and so ask each machine for python3, make and a compiler. To be deleted with the support of Node 20.
 */
import { spawnSync } from "node:child_process"
import { createRequire } from "node:module"
import process from "node:process"

const require = createRequire(import.meta.url)

const loads = (name) => {
  try {
    ;new (require(name))(":memory:").close()
    return true
  } catch {
    return false
  }
}

const name = "better-sqlite3-12"

/**
 * Compiles it in the `node_modules` of a folder. Its own script would sooner take a compiled one from a release's page, which no hash in the lockfile
 * stands for.
 */
export const compile = (folder) => {
  const npm = process.env.npm_execpath
  return spawnSync(
    npm === undefined ? "npm" : process.execPath,
    [...(npm === undefined ? [] : [npm]), "rebuild", name, "--ignore-scripts=false"],
    { cwd: folder, encoding: "utf8", env: { ...process.env, npm_config_build_from_source: "true" } },
  )
}

/** Compiles the addon where the running Node needs that and it has not been done. Ends the process if it cannot be. */
export const ensureAddon = () => {
  if (Number(process.versions.node.split(".")[0]) >= 22 || loads(name)) return
  console.log(
    `Compiling SQLite for Node ${process.versions.node}, once: a minute or a few. From Node 22 on it comes compiled.`,
  )
  const { status, stdout, stderr } = compile(".")
  if (status === 0) return
  console.error(`${stdout}${stderr}`)
  console.error(
    "SQLite could not be compiled. Node 20 needs python3, make and g++ for that; Node 22 and later need nothing.",
  )
  process.exit(1)
}
