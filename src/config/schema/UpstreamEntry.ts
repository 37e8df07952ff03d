/** An entry of `openai_clients`, an upstream: where it answers, which models it serves, and how it is treated. */
import * as Schema from "effect/Schema"
import { Abilities } from "./Abilities.ts"
import { baseUrl, paths, proxyUrl } from "./Addresses.ts"
import { given, optional, optionalText, setting } from "./Keys.ts"
import { UpstreamRequestCleaning, UpstreamTimeouts } from "./Overridable.ts"
import { presetNames } from "./Presets.ts"
import {
  auth,
  dialectList,
  extraBody,
  headers,
  longestTimer,
  maxTokensMember,
  milliseconds,
  nameProblem,
  nonEmptyText,
  oneLine,
  thinkingFormat,
  thinkingTags,
  upstreamKey,
  weight,
  whole,
} from "./Values.ts"

const ModelMatch = Schema.Struct({
  type: Schema.Literal("keyword", "exact").annotations({
    description:
      "`keyword`: the model name contains one of the values. `exact`: it equals one. Both are case-sensitive.",
  }),
  value: Schema.Array(
    nonEmptyText("a non-empty model name or part of one (an empty one would match every model)").pipe(
      Schema.filter((value) => nameProblem(value)),
    ),
  )
    .pipe(
      Schema.filter((values) => values.length > 0, {
        title: "a list of at least one model name or keyword",
        jsonSchema: { minItems: 1 },
      }),
    )
    .annotations({
      description: "Model names (`exact`) or parts of them (`keyword`).",
      examples: [["gpt-4", "gpt-3.5"]],
    }),
})

const upstreamName = Schema.String.pipe(
  Schema.filter((value) => value.trim() !== "" && value.length <= 200 && nameProblem(value) === undefined, {
    title: "a non-empty name of at most 200 characters without control characters",
    jsonSchema: { minLength: 1, maxLength: 200 },
  }),
)

const presetName = Schema.Literal(...presetNames).annotations({
  title: "the name of a preset, which docs/providers.md lists",
})

/** The keys of one. */
export const UpstreamEntry = Schema.Struct({
  name: upstreamName.annotations({
    description:
      "The name of the client in headers, logs, audit rows and `fallback`. No two clients have the same.",
    examples: ["official_openai"],
  }),
  preset: optional(presetName, {
    description:
      "The provider or server that the client is. It fills in `base_url`, `auth`, `dialects`, `paths`, `max_tokens_member` and `stream_usage` where you do not write them; docs/providers.md has the table.",
    examples: ["anthropic"],
  }),
  base_url: optional(baseUrl, {
    description:
      "Where the client answers; needed without a `preset`. Sluice appends `/chat/completions` and so on to its path. http or https, without credentials. A query such as Azure's `?api-version=…` stays behind every path.",
    examples: ["https://api.openai.com/v1"],
  }),
  api_key: Schema.optionalToOptional(Schema.NullOr(upstreamKey), Schema.Redacted(Schema.String), {
    decode: given,
    encode: (value) => value,
  }).annotations({
    description:
      'The key that Sluice sends to the client, in the header that `auth` names. Absent or `""`: Sluice passes on the caller\'s own key.',
  }),
  auth: optional(auth, {
    description:
      "The header that Sluice sends the key in. `bearer` is `Authorization: Bearer …`. `x-api-key` and `api-key` (Azure) hold the key alone, and so does any other header by `{ header: NAME }`. A caller's key goes in it, too. Absent: the preset's, else `bearer`.",
    examples: ["api-key"],
  }),
  dialects: optional(dialectList, {
    description:
      "The conversation dialects that the client speaks, most preferred first: `chat` (`/chat/completions`), `responses` and `messages` (Anthropic's). Sluice translates a request in another into the first. `[]`: it speaks none. Absent: the preset's, else `chat` and `responses` until its answers say otherwise.",
    examples: [["messages", "chat"]],
  }),
  on_unsupported: setting(Schema.Literal("drop", "reject"), "drop", {
    description:
      "What becomes of a request that Sluice translates for the client, and that holds what the client's dialect cannot say. `drop`: Sluice leaves that out and names it in `x-sluice-dropped`. `reject`: the caller gets 400. What would change the answer's meaning is always refused.",
    examples: ["reject"],
  }),
  cache_marks: setting(Schema.Literal("auto", "keep"), "auto", {
    description:
      "Whether Sluice marks what the client is to cache (`cache_control`) in requests that it translates to messages, where the caller marks nothing. Anthropic caches only what is marked; OpenAI's callers mark nothing. `auto`: Sluice marks the instructions and the newest messages of a conversation with tools or earlier answers. `keep`: Sluice adds no marks.",
    examples: ["keep"],
  }),
  abilities: optional(Abilities, {
    description:
      "What the client's models take of requests that Sluice translates for it. Absent keys: what Sluice knows of a model by its name (docs/dialects.md).",
  }),
  paths: optional(paths, {
    description:
      "Where the client answers single operations, by their names in the audit (docs/endpoints.md), and `models`. `/x` lies below `base_url`, `//x` at the root of its host. Absent: the preset's, else where OpenAI, or whoever made the endpoint, has it.",
    examples: [{ embeddings: "//v2/embed" }],
  }),
  proxy_url: optional(proxyUrl, {
    description:
      'The proxy that calls to the client go through: `http://user:password@host:port`, or https. `""`, `false` or `direct`: none. Absent: what `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` of the environment say.',
    examples: ["http://proxy.example:3128"],
  }),
  model_match: ModelMatch.annotations({
    description: "Which models the client serves.",
    title: "a map of type and value",
  }),
  priority: setting(weight, 1, {
    description:
      "The client's weight: its share of the traffic among the clients that match. 0: it is a standby, asked only after all others.",
    examples: [10],
  }),
  fallback: Schema.optionalToOptional(
    Schema.Union(oneLine, Schema.Literal(false), Schema.Null).annotations({
      title: "a client's name, a model name, or false",
    }),
    Schema.String,
    { decode: given, encode: (value) => value },
  ).annotations({
    description:
      "Whom to ask when every client that matches has failed: a client's name, else a model name, which is routed in turn. `false` or absent: nobody.",
    examples: ["deepseek_backup"],
  }),
  model: optionalText(
    {
      description: "The model name that Sluice sends, whatever was asked. Absent: the name asked.",
      examples: ["gpt-4o"],
    },
    oneLine,
  ),
  special_prefix: optionalText({
    description: "A text that Sluice puts before the first non-empty text of each answer.",
    examples: ["[DeepSeek]\n"],
  }),
  stop: optional(
    Schema.Array(nonEmptyText("a non-empty string")).annotations({ title: "a list of strings" }),
    {
      description: "Stop words that Sluice adds to each request, before the request's own.",
      examples: [["<|endoftext|>"]],
    },
  ),
  max_tokens: optional(whole(1, longestTimer), {
    description:
      "A cap on the tokens of the answers to one prompt. Sluice also sends it where the request has no limit. Where a request asks for several choices (`n`, `best_of`), each may have its part of it. Where a request of messages would think with as many tokens or more (`thinking.budget_tokens`), which Anthropic refuses, Sluice lowers that to one below the cap, and turns thinking off where the cap is below 1,025.",
    examples: [4096],
  }),
  max_tokens_member: optional(maxTokensMember, {
    description:
      "The name under which Sluice sends `max_tokens` where the request has no limit of its own. `auto` is `max_tokens`; where the client refuses that for a model, Sluice uses the other name and remembers it. Absent: the preset's, else `auto`.",
    examples: ["max_completion_tokens"],
  }),
  stream_usage: optional(Schema.Boolean, {
    description:
      "Whether Sluice asks for the usage of streams (`stream_options.include_usage`) where the caller did not, so that the audit knows their tokens. Where the client refuses it for a model, Sluice leaves it out and remembers that. `false`: it never asks. Absent: the preset's, else `true`.",
    examples: [false],
  }),
  request_cleaning: optional(UpstreamRequestCleaning, {
    description: "Replaces keys of the global `request_cleaning`.",
  }),
  pass_key: setting(Schema.Boolean, true, {
    description:
      "Whether Sluice may pass on the caller's own key where the client has no `api_key`, and no header whose name speaks of one. `false`: it sends no key, as servers without keys want it.",
    examples: [false],
  }),
  headers: optional(headers, {
    description:
      "Headers that Sluice adds to each request to the client. Headers of the connection are not allowed, but `host` is.",
    examples: [{ "X-Custom": "v" }],
  }),
  extra_body: optional(extraBody, {
    description:
      "Members that Sluice adds to the request's body where the request does not have them: a map, or a string of JSON.",
    examples: [{ top_k: 40 }],
  }),
  thinking_format: optional(thinkingFormat, {
    description: "How reasoning reaches the caller. Absent: the global `thinking_format`.",
    examples: ["strip"],
  }),
  thinking_tags: optional(thinkingTags, {
    description: "The names of the tags around the client's thinking. Absent: the global `thinking_tags`.",
    examples: [["thought"]],
  }),
  timeouts: optional(UpstreamTimeouts, { description: "Replaces keys of the global `timeouts`." }),
  max_concurrent: optional(whole(1, 1_000_000), {
    description:
      "How many requests the client gets at once; a request counts until its answer is over. More requests wait for a free place, see `max_waiting` and `max_wait_ms`. Then Sluice asks the next client. Absent: as many as come.",
    examples: [32],
  }),
  max_waiting: setting(whole(0, 1_000_000), 100, {
    description: "How many requests may wait for a place of `max_concurrent`. 0: none does.",
    examples: [20],
  }),
  max_wait_ms: setting(milliseconds, 1_000, {
    description: "How long a request waits for a place of `max_concurrent`, in milliseconds.",
    examples: [5_000],
  }),
  hedge_after_ms: optional(milliseconds, {
    description:
      "When the client's first byte is not there after so many milliseconds, Sluice asks the next client of the plan as well. The first answer wins, and the other call is cancelled. Both may be charged. Absent: one attempt at a time.",
    examples: [3_000],
  }),
  resume: setting(Schema.Boolean, false, {
    description:
      "Whether the client may resume a stream that broke at another one. It gets the text so far as the last assistant message. Use it only for models that continue such a message. Sluice never resumes tool calls.",
    examples: [true],
  }),
  resume_body: optional(extraBody, {
    description: "Members that the body of such a request needs.",
    examples: [{ continue_final_message: true, add_generation_prompt: false }],
  }),
  resume_message: optional(extraBody, {
    description: "Members that the last assistant message of such a request needs.",
    examples: [{ prefix: true }],
  }),
})

export interface UpstreamEntry extends Schema.Schema.Type<typeof UpstreamEntry> {}
