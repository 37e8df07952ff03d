/** A decoded configuration to the snapshot that requests are served with. */
import { keyRing } from "../access/AccessKey.ts"
import type { ProxyTrust } from "../access/ClientAddress.ts"
import { type Origins, originFrom } from "../access/WebPage.ts"
import { assumedDialects } from "../routing/Dialect.ts"
import { modelNames } from "../routing/ModelNames.ts"
import { proxyOf } from "../routing/OutgoingProxy.ts"
import type { PassthroughRule } from "../routing/Passthrough.ts"
import { makeRoutingTable } from "../routing/Route.ts"
import type { RequestCleaning, Timeouts, Upstream } from "../routing/Upstream.ts"
import { Secrets } from "../secrets/Secrets.ts"
import { parseNetwork } from "../wire/Address.ts"
import { configHash } from "./ConfigHash.ts"
import type { Env } from "./file/Expansion.ts"
import { isSecretName, secretsOf } from "./SecretValues.ts"
import type { Snapshot } from "./Snapshot.ts"
import type { GatewayConfig } from "./schema/GatewayConfig.ts"
import type { PassthroughEntry } from "./schema/PassthroughEntry.ts"
import { presetCalled } from "./schema/Presets.ts"
import type { UpstreamEntry } from "./schema/UpstreamEntry.ts"

/** What a snapshot knows beside the configuration itself. */
export interface Loading {
  /** 1 for the first configuration of the process; each replacement adds 1. */
  readonly generation: number
  /** Epoch milliseconds. */
  readonly loadedAt: number
  /** Where the proxies of upstreams are that name none. */
  readonly env: Env
}

/** The snapshot of a configuration. */
export const makeSnapshot = (config: GatewayConfig, loading: Loading): Snapshot => {
  const upstreams = config.openai_clients.map((upstream) => upstreamOf(upstream, config, loading.env))
  const secrets = new Secrets(secretsOf(upstreams, [...config.server.access_keys, ...config.admin.keys]))
  const routes = makeRoutingTable(upstreams)
  return {
    ...settingsOf(config, loading),
    hash: configHash(config, secrets),
    routes,
    metrics: { names: new Set(config.metrics.names), modelNamed: modelNames(routes, config.metrics.models) },
    passthrough: config.passthrough.flatMap((rule) => passthroughOf(rule, upstreams)),
    secrets,
  }
}

/** A rule whose client there is not, the checks of the file let not in. */
const passthroughOf = (
  { client, methods, path }: PassthroughEntry,
  upstreams: ReadonlyArray<Upstream>,
): ReadonlyArray<PassthroughRule> =>
  upstreams.filter(({ name }) => name === client).map((upstream) => ({ path, upstream, methods }))

const settingsOf = (
  config: GatewayConfig,
  { generation, loadedAt }: Loading,
): Omit<Snapshot, "hash" | "metrics" | "passthrough" | "routes" | "secrets"> => ({
  generation,
  loadedAt,
  strategy: config.load_balancing.strategy,
  thinkingFormat: config.thinking_format,
  givesUsage: config.usage,
  streamStart: config.stream_start,
  stripThinkModels: config.response_cleaning.strip_think_models,
  modelsCache: { ttlSeconds: config.models_cache.ttl_seconds },
  retry: {
    rounds: config.retry.rounds,
    baseDelayMs: config.retry.base_delay_ms,
    maxDelayMs: config.retry.max_delay_ms,
    retryOn: retriedStatuses(config.retry.retry_on),
  },
  breaker: {
    failures: config.breaker.failures,
    openMs: config.breaker.open_ms,
    maxOpenMs: config.breaker.max_open_ms,
  },
  server: {
    maxBodyBytes: config.server.max_body_bytes,
    maxUploadBytes: config.server.max_upload_bytes,
    maxSpooledBytes: config.server.max_spooled_bytes,
    maxInFlight: config.server.max_in_flight,
    maxBufferedBytes: config.server.max_buffered_bytes,
    sendMs: config.server.send_ms,
    receiveMs: config.server.receive_ms,
    maxConnections: config.server.max_connections,
    maxConnectionsPerAddress: config.server.max_connections_per_address,
    requestTimeoutMs: config.timeouts.request_ms,
    accessKeys: keyRing(config.server.access_keys),
    trustProxy: trustOf(config.server.trust_proxy),
    origins: originsOf(config.server.cors),
  },
  adminKeys: keyRing(config.admin.keys),
  adminAddress:
    config.admin.port === undefined ? undefined : { host: config.admin.host, port: config.admin.port },
  audit: {
    bodies: config.audit.bodies,
    maxBodyBytes: config.audit.max_body_bytes,
    retentionMonths: config.audit.retention_months,
  },
})

/**
 * One entry of `openai_clients` as an upstream: the global timeouts and cleanings fill in what it leaves out, `base_url` loses trailing slashes, and
 * header names are lower case, as Node gives those of requests, so that one overrides the other.
 */
const upstreamOf = (upstream: UpstreamEntry, config: GatewayConfig, env: Env): Upstream => ({
  name: upstream.name,
  ...addressOf(baseUrlOf(upstream)),
  ...knownOf(upstream),
  proxy: proxyOf(upstream.proxy_url, baseUrlOf(upstream), env),
  apiKey: upstream.api_key,
  // A key among the headers is one of its own.
  passesKey: upstream.pass_key && !Object.keys(upstream.headers ?? {}).some((name) => isSecretName(name)),
  match: { type: upstream.model_match.type, values: upstream.model_match.value },
  weight: upstream.priority,
  fallback: upstream.fallback,
  model: upstream.model,
  specialPrefix: upstream.special_prefix,
  stop: upstream.stop ?? [],
  maxTokens: upstream.max_tokens,
  requestCleaning: requestCleaningOf(upstream, config),
  headers: Object.fromEntries(
    Object.entries(upstream.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  ),
  extraBody: upstream.extra_body ?? {},
  thinkingFormat: upstream.thinking_format,
  thinkingTags: thinkingTagsOf(upstream, config),
  onUnsupported: upstream.on_unsupported,
  cacheMarks: upstream.cache_marks,
  timeouts: timeoutsOf(upstream, config),
  concurrency:
    upstream.max_concurrent === undefined
      ? undefined
      : {
          max: upstream.max_concurrent,
          maxWaiting: upstream.max_waiting,
          maxWaitMs: upstream.max_wait_ms,
        },
  hedgeAfterMs: upstream.hedge_after_ms,
  resume: upstream.resume
    ? { body: upstream.resume_body ?? {}, message: upstream.resume_message ?? {} }
    : undefined,
})

/** The path that endpoints' paths are appended to, and the query that stays behind them. */
const addressOf = (baseUrl: string): Pick<Upstream, "baseUrl" | "query"> => {
  const [path = "", ...query] = baseUrl.split("?")
  return { baseUrl: path.replace(/\/+$/, ""), query: query.length === 0 ? "" : `?${query.join("?")}` }
}

/** Where it answers. One that says nothing of it, and whose preset does not know, the checks of the file let not in. */
const baseUrlOf = ({ base_url, preset }: UpstreamEntry): string =>
  base_url ?? presetCalled(preset)?.baseUrl ?? ""

/** What a preset may know of it, and it knows better. */
const knownOf = (
  upstream: UpstreamEntry,
): Pick<
  Upstream,
  "abilities" | "asksUsage" | "dialects" | "dialectsAssumed" | "keyHeader" | "maxTokensMember" | "paths"
> => {
  const preset = presetCalled(upstream.preset)
  return {
    paths: { ...preset?.paths, ...upstream.paths },
    keyHeader: keyHeaderOf(upstream.auth ?? preset?.auth ?? "bearer"),
    dialects: upstream.dialects ?? preset?.dialects ?? assumedDialects,
    dialectsAssumed: upstream.dialects === undefined && (preset === undefined || preset.isServer === true),
    maxTokensMember: upstream.max_tokens_member ?? preset?.maxTokensMember ?? "auto",
    abilities: { ...preset?.abilities, ...upstream.abilities },
    asksUsage: upstream.stream_usage ?? preset?.asksUsage ?? true,
  }
}

const keyHeaderOf = (auth: NonNullable<UpstreamEntry["auth"]>): string | undefined => {
  if (auth === "bearer") return undefined
  return typeof auth === "string" ? auth : auth.header.toLowerCase()
}

/** Networks as the schema has checked them. */
const trustOf = (trust: boolean | number | ReadonlyArray<string>): ProxyTrust =>
  typeof trust === "object" ? trust.flatMap((network) => parseNetwork(network) ?? []) : trust

const originsOf = (cors: ReadonlyArray<string>): Origins => ({
  all: cors.includes("*"),
  named: new Set(cors.flatMap((origin) => originFrom(origin) ?? [])),
})

const thinkingTagsOf = (upstream: UpstreamEntry, config: GatewayConfig): ReadonlyArray<string> =>
  upstream.thinking_tags ?? config.thinking_tags

const requestCleaningOf = (upstream: UpstreamEntry, config: GatewayConfig): RequestCleaning => {
  const { request_cleaning: own } = upstream
  const { request_cleaning } = config
  return {
    mergeUserMessages: own?.merge_user_messages ?? request_cleaning.merge_user_messages,
    dropEmptyMessages: own?.drop_empty_messages ?? request_cleaning.drop_empty_messages,
    stripHistoryThink:
      (own?.strip_history_think ?? request_cleaning.strip_history_think)
        ? thinkingTagsOf(upstream, config)
        : noTags,
  }
}

const noTags: ReadonlyArray<string> = []

const timeoutsOf = ({ timeouts: own }: UpstreamEntry, { timeouts }: GatewayConfig): Timeouts => ({
  connectMs: own?.connect_ms ?? timeouts.connect_ms,
  firstByteMs: own?.first_byte_ms ?? timeouts.first_byte_ms,
  answerMs: own?.answer_ms ?? timeouts.answer_ms,
  idleMs: own?.idle_ms ?? timeouts.idle_ms,
  totalMs: own?.total_ms ?? timeouts.total_ms,
})

/** Whether a status is listed: as a number, its digits, or a class such as "5xx". */
const retriedStatuses = (retryOn: ReadonlyArray<number | string>): ((status: number) => boolean) => {
  const statuses = new Set<number>()
  const classes = new Set<number>()
  for (const entry of retryOn) {
    if (typeof entry === "string" && entry.toLowerCase().endsWith("xx")) classes.add(Number(entry[0]))
    else statuses.add(Number(entry))
  }
  return (status) => statuses.has(status) || classes.has(Math.floor(status / 100))
}
