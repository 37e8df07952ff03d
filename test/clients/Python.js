/** Python with the packages of python/requirements.txt, installed once for each state of that file. */
import { spawn } from "node:child_process"
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const folder = fileURLToPath(new URL("./python/", import.meta.url))
/** Where neither git nor the linter looks. */
const venv = fileURLToPath(new URL("../../node_modules/.cache/python-clients", import.meta.url))
const installed = join(venv, "installed.txt")
const requirements = readFileSync(join(folder, "requirements.txt"), "utf8")

const python = join(venv, "bin", "python")

/** What is compiled stays out of the tests' folder. */
const bytecode = { PYTHONDONTWRITEBYTECODE: "", PYTHONPYCACHEPREFIX: join(venv, "bytecode") }

/** Runs it to its end; what it says and the code it ends with. */
const run = (command, args, env = {}) =>
  new Promise((done) => {
    const child = spawn(command, args, {
      cwd: folder,
      env: { ...process.env, ...bytecode, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    })
    let said = ""
    let complaint = ""
    child.stdout.on("data", (bytes) => (said += bytes))
    child.stderr.on("data", (bytes) => (complaint += bytes))
    child.on("error", (error) => done({ code: 127, said, complaint: error.message }))
    child.on("close", (code) => done({ code, said, complaint }))
  })

const must = async (task, command, args) => {
  const { code, complaint, said } = await run(command, args)
  if (code === 0) return
  const last = `${said}${complaint}`.trim().split("\n").slice(-3).join("\n")
  throw new Error(
    `${task} failed, so no client in Python was tried. These tests need python3 (3.10 or newer) with pip 22.3 or newer, and PyPI or a mirror that pip knows. ${command} said:\n${last}`,
  )
}

/** Installs the packages where that has not been done. */
export const install = async () => {
  if (existsSync(installed) && readFileSync(installed, "utf8") === requirements) return
  rmSync(venv, { recursive: true, force: true })
  await must("Making a virtual environment", "python3", ["-m", "venv", "--without-pip", venv])
  await must("Installing the packages", "python3", [
    ...["-m", "pip", "--python", python, "install"],
    "--no-compile",
    "--quiet",
    "--disable-pip-version-check",
    "--no-deps",
    "--only-binary=:all:",
    ...["--requirement", "requirements.txt"],
  ])
  writeFileSync(installed, requirements)
}

/** Runs a module of Python. */
export const runModule = (name, args, env) => run(python, ["-m", name, ...args], env)
