/** What is measured: each starts in front of the mock, and says how it is asked for one of the mock's behaviours. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { stringify } from "yaml"
import type { LoadPlan } from "./Figures.ts"
import { freePort, type Started, start, treeOf } from "./Processes.ts"

export interface Subject {
  readonly name: string
  /** How it is asked for this behaviour. */
  readonly request: (
    behaviour: string,
  ) => Pick<LoadPlan, "port" | "path" | "headers"> & Partial<Pick<LoadPlan, "body">>
  readonly pids: () => ReadonlyArray<number>
  /** What it holds after a collection, bytes; `undefined` where it cannot tell. */
  readonly weigh?: (() => Promise<number>) | undefined
  /** How long its event loop was held at most since this was asked before, milliseconds; `undefined` where it cannot tell. */
  readonly longestHold?: (() => Promise<number>) | undefined
  readonly stop: () => Promise<void>
  /** From its start until it was ready. */
  readonly startMs: number
  /** How many times as long as others it is loaded before it is measured. */
  readonly heatTimes: number
}

/** Starts it in front of the mock at this port; `undefined` where it is not installed. */
export type MakeSubject = (
  mockPort: number,
  behaviours: ReadonlyArray<string>,
) => Promise<Subject | undefined>

const subjectCore = 0
const chatPath = "/v1/chat/completions"

const urlOf = (mockPort: number, behaviour: string): string => `http://127.0.0.1:${mockPort}/${behaviour}/v1`

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits until something answers there, whatever it says. */
const ready = async (url: string): Promise<void> => {
  for (let tries = 0; tries < 3_000; tries++) {
    try {
      await (await fetch(url, { headers: { connection: "close" } })).arrayBuffer()
      return
    } catch {
      await sleep(5)
    }
  }
  throw new Error(`nothing answers at ${url}`)
}

interface SubjectOptions {
  readonly name: string
  readonly started: Started
  readonly request: Subject["request"]
  readonly startMs: number
  /** Before it is stopped. */
  readonly leave?: () => void
  readonly dispose?: () => void
  readonly weigh?: (() => Promise<number>) | undefined
  readonly longestHold?: (() => Promise<number>) | undefined
  readonly heatTimes?: number
}

const subject = ({
  dispose = () => {},
  heatTimes = 1,
  leave = () => {},
  longestHold,
  name,
  request,
  startMs,
  started,
  weigh,
}: SubjectOptions): Subject => {
  const pid = started.child.pid ?? 0
  return {
    name,
    request,
    weigh,
    longestHold,
    pids: () => treeOf(pid),
    stop: async () => {
      leave()
      await started.stop()
      dispose()
    },
    startMs,
    heatTimes,
  }
}

const temporary = () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"))
  return { folder, dispose: () => rmSync(folder, { recursive: true, force: true }) }
}

/** How a program of Node's is started so that it tells a number of itself when it is sent SIGUSR2; nothing is added to one that does not. */
interface Gauge {
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  readonly ask: ((started: Started) => () => Promise<number>) | undefined
}

const noGauge: Gauge = { args: [], env: {}, ask: undefined }

const gaugeIn = (folder: string, args: ReadonlyArray<string>): Gauge => {
  const path = join(folder, "told")
  return {
    args,
    env: { BENCH_TOLD: path },
    ask: (started) => async () => {
      rmSync(path, { force: true })
      started.child.kill("SIGUSR2")
      while (!existsSync(path)) await sleep(20)
      return Number(readFileSync(path, "utf8"))
    },
  }
}

const scalesIn = (folder: string): Gauge =>
  gaugeIn(folder, ["--expose-gc", "--import", "./dist/bench-weighed.js"])

const loopGaugeIn = (folder: string): Gauge => gaugeIn(folder, ["--import", "./dist/bench-loop.js"])

/** The mock itself. */
export const direct: MakeSubject = async (mockPort) => ({
  name: "direct",
  request: (behaviour) => ({ port: mockPort, path: `/${behaviour}${chatPath}`, headers: {} }),
  pids: () => [],
  stop: async () => {},
  startMs: 0,
  heatTimes: 1,
})

const floorWith =
  (isWeighed: boolean): MakeSubject =>
  async (mockPort, behaviours) => {
    const routes = Object.fromEntries(behaviours.map((behaviour) => [behaviour, urlOf(mockPort, behaviour)]))
    const { dispose, folder } = temporary()
    const { args, ask, env } = isWeighed ? scalesIn(folder) : noGauge
    const beganAt = performance.now()
    const started = start(process.execPath, [...args, "dist/bench-floor.js", JSON.stringify(routes)], {
      core: subjectCore,
      env,
    })
    const port = Number(await started.line())
    return subject({
      name: "floor",
      started,
      request: () => ({ port, path: chatPath, headers: {} }),
      startMs: performance.now() - beganAt,
      dispose,
      weigh: ask?.(started),
    })
  }

export const floor: MakeSubject = floorWith(false)

export const weighedFloor: MakeSubject = floorWith(true)

export interface SluiceOptions {
  readonly name: string
  /** What it is asked in place of what the scenario asks. */
  readonly asks?: {
    readonly path: string
    readonly body: (model: string) => string
  }
  /** Members of every entry. */
  readonly entry?: Readonly<Record<string, unknown>>
  /** Entries before those of the behaviours. */
  readonly others?: (mockPort: number) => ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly env?: (at: {
    readonly folder: string
    readonly mockPort: number
  }) => Readonly<Record<string, string>>
  /** May use all cores. */
  readonly unpinned?: boolean
  /** What goes on beside the load, until it is called off. */
  readonly beside?: (port: number) => Promise<() => void>
  readonly heatTimes?: number
  /** What it tells of itself. */
  readonly tells?: "memory" | "loop"
}

const ping = "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n"

const askedOnce = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(ping))
    socket.on("error", reject)
    socket.on("data", () => resolve(socket))
  })

/** So many idle connections; each asks again now and then, since the gateway closes one after 75 s. */
export const idle =
  (count: number) =>
  async (port: number): Promise<() => void> => {
    const sockets: Array<Socket> = []
    while (sockets.length < count) {
      const some = Math.min(100, count - sockets.length)
      sockets.push(...(await Promise.all(Array.from({ length: some }, () => askedOnce(port)))))
    }
    const timer = setInterval(() => {
      for (const socket of sockets) socket.write(ping)
    }, 60_000)
    return () => {
      clearInterval(timer)
      for (const socket of sockets) socket.destroy()
    }
  }

/** As it is shipped: audit and log on, the log written to where nobody reads it. */
export const sluice =
  ({
    asks,
    beside = async () => () => {},
    entry = {},
    env = () => ({}),
    heatTimes = 1,
    name,
    others = () => [],
    tells,
    unpinned = false,
  }: SluiceOptions): MakeSubject =>
  async (mockPort, behaviours) => {
    const { dispose, folder } = temporary()
    const config = join(folder, "config.yaml")
    writeFileSync(
      config,
      stringify({
        openai_clients: [
          ...others(mockPort),
          ...behaviours.map((behaviour) => ({
            name: behaviour,
            base_url: urlOf(mockPort, behaviour),
            api_key: "sk-bench",
            model: "gpt-4o",
            model_match: { type: "exact", value: [behaviour] },
            ...entry,
          })),
        ],
      }),
    )
    const gauge = tells === "memory" ? scalesIn(folder) : tells === "loop" ? loopGaugeIn(folder) : noGauge
    const port = await freePort()
    const beganAt = performance.now()
    const started = start(
      process.execPath,
      [...gauge.args, "dist/sluice.js", "serve", "--config", config, "--port", String(port)],
      {
        core: unpinned ? undefined : subjectCore,
        reads: false,
        env: {
          AUDIT_URL: `sqlite:${folder}/record.db`,
          LOG_FORMAT: "json",
          SERVER_HOST: "127.0.0.1",
          ...gauge.env,
          ...env({ folder, mockPort }),
        },
      },
    )
    await ready(`http://127.0.0.1:${port}/readyz`)
    const startMs = performance.now() - beganAt
    const leave = await beside(port)
    const ask = gauge.ask?.(started)
    return subject({
      name,
      started,
      request: (behaviour) => ({
        port,
        headers: {},
        ...(asks === undefined ? { path: chatPath } : { path: asks.path, body: asks.body(behaviour) }),
      }),
      startMs,
      leave,
      dispose,
      weigh: tells === "memory" ? ask : undefined,
      longestHold: tells === "loop" ? ask : undefined,
      heatTimes,
    })
  }

const portkeyProgram = "bench/portkey/node_modules/@portkey-ai/gateway/build/start-server.js"

export const portkey: MakeSubject = async (mockPort) => {
  if (!existsSync(portkeyProgram)) return undefined
  const port = await freePort()
  const beganAt = performance.now()
  const started = start(process.execPath, [portkeyProgram, `--port=${port}`, "--headless"], {
    core: subjectCore,
    reads: false,
    // A stack for each stream that it cannot serve here.
    isMuted: true,
    env: { NODE_ENV: "production", TRUSTED_CUSTOM_HOSTS: "127.0.0.1" },
  })
  await ready(`http://127.0.0.1:${port}/`)
  const request = (behaviour: string) => ({
    port,
    path: chatPath,
    headers: {
      authorization: "Bearer sk-bench",
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": urlOf(mockPort, behaviour),
    },
  })
  return subject({ name: "Portkey", started, request, startMs: performance.now() - beganAt })
}

const nginxProgram = "/usr/sbin/nginx"

export const nginx: MakeSubject = async (mockPort) => {
  if (!existsSync(nginxProgram)) return undefined
  const { dispose, folder } = temporary()
  const port = await freePort()
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; worker_processes 1; worker_rlimit_nofile 65536; pid ${folder}/pid; error_log ${folder}/error.log; user root;
events { worker_connections 40000; }
http {
  access_log ${folder}/access.log;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  client_max_body_size 100m; keepalive_requests 1000000000;
  upstream mock { server 127.0.0.1:${mockPort}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Authorization "Bearer sk-bench";
      proxy_buffering off;
    }
  }
}`,
  )
  const beganAt = performance.now()
  const started = start(nginxProgram, ["-c", join(folder, "nginx.conf"), "-p", folder], { core: subjectCore })
  await ready(`http://127.0.0.1:${port}/plain/v1`)
  return subject({
    name: "nginx",
    started,
    request: (behaviour) => ({ port, path: `/${behaviour}${chatPath}`, headers: {} }),
    startMs: performance.now() - beganAt,
    dispose,
  })
}
