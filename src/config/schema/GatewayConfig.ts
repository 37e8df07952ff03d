/**
 * The configuration file as an Effect Schema: the one truth about its keys, their defaults, bounds and meaning. Loading, error
 * messages, the JSON Schema for editors and docs/configuration.md are all derived from it.
 */
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { defaultThinkingTags } from "../../answer/ThinkTag.ts"
import { strategies, strategyNames } from "../../routing/strategies/Strategies.ts"
import { optional, setting } from "./Keys.ts"
import { RequestCleaning, Timeouts } from "./Overridable.ts"
import { PassthroughEntry } from "./PassthroughEntry.ts"
import { UpstreamEntry } from "./UpstreamEntry.ts"
import {
  accessKey,
  adminKey,
  largestBody,
  longestTimer,
  milliseconds,
  nonEmptyText,
  origin,
  retryStatus,
  strategy,
  thinkingFormat,
  thinkingTags,
  trustProxy,
  whole,
} from "./Values.ts"

/** Leftovers of GPT_API at the top level: accepted with a warning, and ignored. */
export const leftovers: ReadonlyArray<string> = ["check_config", "performance_test"]

const LoadBalancing = Schema.Struct({
  strategy: setting(strategy, "random", {
    description: `The order of the clients that match a model, made anew for each request. ${strategyNames
      .map((name) => `\`${name}\` ${strategies[name].meaning}`)
      .join("; ")}.`,
    examples: ["deterministic"],
  }),
})

const ResponseCleaning = Schema.Struct({
  strip_think_models: setting(Schema.Array(nonEmptyText("a part of a model name")), ["deepseek"], {
    description:
      "Parts of model names. Sluice removes `<think>…</think>` from the answers of a model whose name contains one, unless a `thinking_format` is set for it.",
    examples: [["deepseek", "qwq"]],
  }),
})

const ModelsCache = Schema.Struct({
  ttl_seconds: setting(whole(0, 31_536_000), 600, {
    description:
      "How long Sluice keeps the answer of `/v1/models`, in seconds. 0: it asks the upstreams every time.",
    examples: [60],
  }),
})

const defaultRetryOn: ReadonlyArray<number | string> = [401, 403, 404, 408, 425, 429, "5xx"]

const Retry = Schema.Struct({
  rounds: setting(whole(1, 100), 2, {
    description:
      "How often Sluice walks the whole plan, the first time included. 1: it never waits and never repeats.",
    examples: [3],
  }),
  base_delay_ms: setting(whole(0, longestTimer), 200, {
    description:
      "The wait before the second round, in milliseconds. It doubles each round, with full jitter.",
    examples: [500],
  }),
  max_delay_ms: setting(whole(0, longestTimer), 5000, {
    description:
      "The longest wait between rounds, in milliseconds, and the longest `retry-after` that Sluice waits out.",
    examples: [10_000],
  }),
  retry_on: setting(Schema.Array(retryStatus), defaultRetryOn, {
    description:
      "The HTTP statuses of an upstream after which Sluice asks another target: statuses, or classes such as `5xx`. Where an upstream says with one status what others say with another, the refusal counts as both: a 413 or 498 of a rate limit as 429, a 402 or a 400 of a wrong key as 401. A prompt that a moderation flagged counts as 400, whatever its status.",
    examples: [[429, "5xx"]],
  }),
})

const Breaker = Schema.Struct({
  failures: setting(whole(0, 1_000_000), 5, {
    description:
      "How many transient failures in a row (no connection, broken off, timed out, 408, 425, 5xx) set a client aside. Sluice then asks it only after all others, until a probe goes well. A refused `api_key` and an account without credit set it aside at once. Rate limits (429) and missing models (404) set aside only that model at that client; they do so at once where they say `retry-after` or that the model is missing. 0: nothing is set aside.",
    examples: [10],
  }),
  open_ms: setting(milliseconds, 10_000, {
    description:
      "How long a client is set aside before one request probes it, in milliseconds. It doubles each time the probe fails.",
    examples: [30_000],
  }),
  max_open_ms: setting(milliseconds, 120_000, {
    description: "The longest such wait, in milliseconds, and the longest `retry-after` that Sluice heeds.",
    examples: [600_000],
  }),
})

const everyOrigin: ReadonlyArray<string> = ["*"]

const noKeys: ReadonlyArray<Redacted.Redacted<string>> = []

const Server = Schema.Struct({
  max_body_bytes: setting(whole(1, largestBody), 52_428_800, {
    description: "The largest request body, in bytes. A larger one is answered 413.",
    examples: [10_485_760],
  }),
  max_upload_bytes: setting(whole(1, Number.MAX_SAFE_INTEGER), 536_870_912, {
    description:
      "The largest upload (a form with sounds or pictures, or a body that `passthrough` hands on), in bytes. A larger one is answered 413. Sluice keeps what is over 1 MB of each form in a file of the temporary folder (`TMPDIR`) until the request is over.",
    examples: [104_857_600],
  }),
  max_spooled_bytes: setting(whole(1, Number.MAX_SAFE_INTEGER), 4_294_967_296, {
    description:
      "How much of that folder, in bytes, all uploads under way may take together in each process. More are answered 503 with `retry-after`. One caller may have four times what is still free; more is 429.",
    examples: [1_073_741_824],
  }),
  max_in_flight: setting(whole(1, 1_000_000), 16_384, {
    description:
      "How many requests may be under way at once. A request is under way until the last byte of its answer is out. More are answered 503 with `retry-after`. One caller (an access key, or an address where no key is asked for) may have four times what is still free; more is 429.",
    examples: [1_000],
  }),
  max_buffered_bytes: setting(whole(1, Number.MAX_SAFE_INTEGER), 536_870_912, {
    description:
      "How much memory, in bytes, the bodies of all requests under way may take together with their plain answers, until the callers have these. More requests are answered 503 with `retry-after`. One caller may have four times what is still free; more is 429.",
    examples: [1_073_741_824],
  }),
  send_ms: setting(milliseconds, 60_000, {
    description:
      "How long a caller may take nothing of its answer, plain or streamed, in milliseconds. Then its connection is cut. The connection of a slow caller that takes some is not.",
    examples: [20_000],
  }),
  receive_ms: setting(milliseconds, 60_000, {
    description:
      "How long a caller may send nothing of its body, or less than 1,024 bytes a second on average, in milliseconds. Then it is answered 408.",
    examples: [20_000],
  }),
  max_connections: setting(whole(1, 1_000_000), 20_000, {
    description:
      "How many connections of callers each process takes, at most half of the files it may open (`ulimit -n`). When nearly all are taken, Sluice closes unused ones, those without a valid key first. When all are taken, it refuses new ones.",
    examples: [2_000],
  }),
  max_connections_per_address: setting(whole(0, 1_000_000), 0, {
    description:
      "How many connections one address may have; a /64 of IPv6 counts as one. 0: no limit, as it must be behind a proxy.",
    examples: [100],
  }),
  access_keys: setting(Schema.Array(Schema.Redacted(accessKey)), noKeys, {
    description:
      "Callers must send one of these keys, as `Authorization: Bearer …`, `x-api-key` or `api-key`. Empty: Sluice serves everybody who reaches the port.",
  }),
  trust_proxy: setting(trustProxy, false, {
    description:
      "Which proxies Sluice believes about the caller's address in `x-forwarded-for`, read from the right, or else in `x-real-ip`: the last so many, or those in a list of networks (`[10.0.0.0/8]`). `true` believes all: where a proxy only appends, that is whatever the caller sends.",
    examples: [1],
  }),
  cors: setting(Schema.Array(origin).annotations({ title: "a list of origins" }), everyOrigin, {
    description:
      "The origins whose pages may read answers in a browser. `*`: all of them where access keys are asked for. Where none are, only pages of this machine (`http://localhost:3000`) and of applications installed on it, since any other page could spend what the gateway's own keys pay for. An origin that is listed by name is let in either way. `[]`: none.",
    examples: [["https://chat.example"]],
  }),
})

const Audit = Schema.Struct({
  bodies: setting(Schema.Literal("full", "none"), "full", {
    description: "Whether audit rows keep requests and answers.",
    examples: ["none"],
  }),
  max_body_bytes: setting(whole(0, largestBody), 1_048_576, {
    description: "How much of one body a row keeps at most, in bytes.",
    examples: [65_536],
  }),
  retention_months: setting(whole(0, 1200), 0, {
    description: "How many months of archives Sluice keeps. 0: for ever.",
    examples: [12],
  }),
})

const Admin = Schema.Struct({
  keys: setting(Schema.Array(Schema.Redacted(adminKey)), noKeys, {
    description:
      "Operators must send one of these keys as `Authorization: Bearer …` or `x-api-key`, or sign in with it on the dashboard, to see `/health?verbose`, `/metrics`, `/dashboard` and `/admin/api`, which callers may not see. These keys let nobody ask a model, and access keys open nothing here. Empty: who reaches `admin.port` sees all that; without a port it is open while `server.access_keys` is empty too, else closed.",
  }),
  port: optional(whole(1, 65_535), {
    description:
      "A port of its own for what only operators see, which is then on no other. A reload that changes it moves it. Absent: all that is on the port of the callers.",
    examples: [9_000],
  }),
  host: setting(nonEmptyText("an address to listen on"), "127.0.0.1", {
    description:
      "The address to listen on with `admin.port`. `0.0.0.0` or `::` is all of them, as a container needs; set `keys` then.",
    examples: ["0.0.0.0"],
  }),
})

const ownNames: ReadonlyArray<"gpt_api" | "sluice"> = ["sluice"]
const noModels: ReadonlyArray<string> = []

const Metrics = Schema.Struct({
  names: setting(Schema.Array(Schema.Literal("sluice", "gpt_api")), ownNames, {
    description:
      "Under whose names `/metrics` tells what it measures: Sluice's own, and GPT_API's for dashboards that were made for it. docs/metrics.md has both.",
    examples: [["sluice", "gpt_api"]],
  }),
  models: setting(
    Schema.Array(nonEmptyText("a model name")).annotations({ title: "a list of model names" }),
    noModels,
    {
      description:
        "Models that metrics tell apart, beside those that clients name in an `exact` match. Any other model is counted under the first keyword that admits it, since callers could make up names without end.",
      examples: [["gpt-4o", "gpt-4o-mini"]],
    },
  ),
})

const noRules: ReadonlyArray<Schema.Schema.Type<typeof PassthroughEntry>> = []

/** The whole file. */
export const GatewayConfig = Schema.Struct({
  load_balancing: setting(LoadBalancing, LoadBalancing.make({}), {
    description: "How Sluice spreads traffic over the clients that match a model.",
  }),
  // Without a decoding default: `passthrough` written out switches `strip_think_models` off, an absent key does not.
  thinking_format: optional(thinkingFormat, {
    description:
      "How reasoning reaches the caller. `passthrough` leaves it as the upstream sends it; `strip` removes it; `think_tag` puts it into the content between `<think>` and `</think>`, or the first of `thinking_tags`; `reasoning` and `reasoning_content` put it into the member of that name. Absent: passthrough, except for the models of `response_cleaning.strip_think_models`.",
    examples: ["reasoning_content"],
  }).annotations({ default: "passthrough" }),
  thinking_tags: setting(thinkingTags, defaultThinkingTags, {
    description:
      "The names of the tags around thinking in the content of answers and of earlier turns: `[think]` reads `<think>…</think>`. Each block ends with its own tag. Names are case-sensitive. The format `think_tag` writes the first.",
    examples: [["think", "thinking", "thought"]],
  }),
  usage: setting(Schema.Literal("asked", "always"), "asked", {
    description:
      "Which callers get the usage of a stream: those who asked for it (`stream_options.include_usage`), or all. The audit has it either way.",
    examples: ["always"],
  }),
  stream_start: setting(Schema.Literal("first_event", "at_once"), "first_event", {
    description:
      "When the answer to a streaming request begins. `first_event`: with the first event that says something, so that an error before it has its own status. `at_once`: at once, with heartbeats, for callers behind balancers that cut a silent connection. Sluice then still asks other clients, and tells an error as an event of a 200.",
    examples: ["at_once"],
  }),
  response_cleaning: setting(ResponseCleaning, ResponseCleaning.make({}), {
    description: "What Sluice removes from answers.",
  }),
  request_cleaning: setting(RequestCleaning, RequestCleaning.make({}), {
    description: "What Sluice tidies in the messages of requests.",
  }),
  models_cache: setting(ModelsCache, ModelsCache.make({}), { description: "The cache of `/v1/models`." }),
  retry: setting(Retry, Retry.make({}), { description: "What happens after an attempt has failed." }),
  breaker: setting(Breaker, Breaker.make({}), {
    description: "When a failing client moves to the end of the order, until it recovers.",
  }),
  timeouts: setting(Timeouts, Timeouts.make({}), { description: "How long one attempt may take." }),
  server: setting(Server, Server.make({}), { description: "What callers may do." }),
  admin: setting(Admin, Admin.make({}), { description: "What only the operator should see." }),
  audit: setting(Audit, Audit.make({}), { description: "What the audit rows keep." }),
  metrics: setting(Metrics, Metrics.make({}), { description: "What `/metrics` tells." }),
  passthrough: setting(
    Schema.Array(PassthroughEntry.annotations({ title: "a map of path and client" })),
    noRules,
    {
      description:
        "Further paths, each handed on to one client as it is asked: files, batches, whatever a provider has beside models. Requests of any type go through unread, and so do answers. Of several rules the one with the longest path holds.",
    },
  ),
  openai_clients: Schema.Array(
    UpstreamEntry.annotations({ title: "a map that describes a client" }),
  ).annotations({
    description: "The upstreams. The list may be empty; then every model is unknown.",
    title: "a list of clients",
  }),
})

export interface GatewayConfig extends Schema.Schema.Type<typeof GatewayConfig> {}
