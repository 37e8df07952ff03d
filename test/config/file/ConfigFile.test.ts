// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to the environment look like this
/** What a configuration file may say, and what is said of one that cannot be used. */
import { readFileSync } from "node:fs"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { stringify } from "yaml"
import { type Env, loadConfig, textOfBytes, toldToOperator } from "../../../src/config/file/ConfigFile.ts"
import { keysOf } from "../../../src/config/file/Expected.ts"
import { toOperator } from "../../../src/config/file/Saying.ts"
import { GatewayConfig } from "../../../src/config/schema/GatewayConfig.ts"
import { UpstreamEntry } from "../../../src/config/schema/UpstreamEntry.ts"
import { runs } from "../../support/Runs.ts"
import { isMap, layout, mapTexts, type Written, writeLiterally, writtenConfig } from "../arbitraries.ts"

const encode = Schema.encodeSync(GatewayConfig)
const decode = Schema.decodeUnknownSync(GatewayConfig)

const load = (text: string, env: Env = {}) =>
  Either.match(loadConfig(text, env), {
    onLeft: (problems) => ({ config: undefined, problems }),
    onRight: ({ config, warnings }) => ({ config, problems: warnings }),
  })

const render = (text: string, env: Env = {}) =>
  load(text, env).problems.map((problem) => toldToOperator("config.yaml", problem))

/** The configuration of a file that is good. */
const loaded = (text: string, env: Env = {}) => {
  const { config, problems } = load(text, env)
  if (config === undefined)
    throw new Error(problems.map((it) => toldToOperator("config.yaml", it)).join("\n"))
  return config
}

const first = (text: string, env: Env = {}) => {
  const client = loaded(text, env).openai_clients[0]
  if (client === undefined) throw new Error("there is no client")
  return client
}

/** One good client with more keys, each on a line of its own, the first on line 5. */
const withClient = (...lines: ReadonlyArray<string>) =>
  [
    "openai_clients:",
    "  - name: a",
    "    base_url: https://a.example/v1",
    "    model_match: { type: keyword, value: [gpt] }",
    ...lines.map((line) => `    ${line}`),
    "",
  ].join("\n")

const none = "openai_clients: []\n"

const file = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")

describe("files that load", () => {
  it("GPT_API's README configuration, as it stands", () => {
    const config = loaded(file("test/fixtures/gpt_api_config.yaml"), { OPENAI_API_KEY: "sk-1" })
    expect(config.openai_clients.map(({ name, priority, fallback }) => [name, priority, fallback])).toEqual([
      ["official_openai", 10, "deepseek_backup"],
      ["deepseek_service", 1, undefined],
      ["deepseek_backup", 999, undefined],
    ])
    expect(config.openai_clients[1]?.special_prefix).toBe("【DeepSeek 思考】\n")
    expect(config.openai_clients[0]?.api_key).toEqual(Redacted.make("sk-1"))
  })

  it("the contract's example, whose global values are the defaults", () => {
    const config = loaded(file("test/fixtures/contract_config.yaml"), { OPENAI_API_KEY: "sk-1" })
    const { openai_clients: _, thinking_format, ...settings } = encode(config)
    const { openai_clients: __, ...defaults } = encode(loaded(none))
    expect(settings).toEqual(defaults)
    expect(thinking_format).toBe("passthrough")
  })

  it("the shipped default, without any environment or warning", () => {
    expect(load(file("config/config.yaml")).problems).toEqual([])
    expect(first(file("config/config.yaml")).api_key).toBeUndefined()
  })

  it("the shipped example, with the variables it names", () => {
    const text = file("config/example.yaml")
    const env = {
      OPENAI_API_KEY: "a",
      AZURE_API_KEY: "b",
      DEEPSEEK_API_KEY: "c",
      ACCESS_KEY: "key-of-callers",
    }
    for (const name of Object.keys(env)) expect(text.slice(0, text.indexOf("# How"))).toContain(name)
    expect(load(text, env).problems).toEqual([])
    expect(loaded(text, env).openai_clients[0]?.max_tokens).toBe(4096)
    expect(loaded(text, env).openai_clients.at(-1)?.extra_body).toEqual({
      cache_prompt: true,
      note: "${NOT_A_VARIABLE}",
    })
  })

  it("the shipped files name the schema in their first line", () => {
    for (const path of ["config/config.yaml", "config/example.yaml"]) {
      expect(file(path).split("\n")[0]).toBe("# yaml-language-server: $schema=config.schema.json")
    }
  })

  it("the example shows every key", () => {
    const env = {
      OPENAI_API_KEY: "a",
      AZURE_API_KEY: "b",
      DEEPSEEK_API_KEY: "c",
      ACCESS_KEY: "key-of-callers",
    }
    const config = encode(loaded(file("config/example.yaml"), env))
    expect(Object.keys(config).sort()).toEqual(Object.keys(GatewayConfig.fields).sort())
    const keys = new Set(config.openai_clients.flatMap((client) => Object.keys(client)))
    for (const key of Object.keys(GatewayConfig.fields.openai_clients.value.fields))
      expect(keys).toContain(key)
  })

  it('GPT_API\'s leftovers: "", false and nothing are absent, extra_body is a string of JSON', () => {
    const client = first(
      withClient(
        'api_key: ""',
        "fallback: false",
        "max_tokens:",
        "stop: ~",
        "special_prefix: ''",
        `extra_body: '{"a": [1]}'`,
      ),
    )
    expect(client).toEqual({
      name: "a",
      base_url: "https://a.example/v1",
      pass_key: true,
      model_match: { type: "keyword", value: ["gpt"] },
      priority: 1,
      max_waiting: 100,
      max_wait_ms: 1000,
      resume: false,
      on_unsupported: "drop",
      cache_marks: "auto",
      extra_body: { a: [1] },
    })
  })

  it("a client that says no more of itself than its preset", () => {
    expect(first(withPreset("deepseek"))).toMatchObject({ name: "a", preset: "deepseek" })
    expect(render(withPreset("llama.cpp"))).toEqual([])
    expect(
      render(withPreset("azure", "base_url: https://me.openai.azure.com/openai/v1?api-version=preview")),
    ).toEqual([])
  })

  it("check_config and performance_test warn and are ignored, whatever they hold", () => {
    expect(render(`check_config: { url: "\${NOT_SET}" }\nperformance_test: [1]\n${withClient()}`)).toEqual([
      "config.yaml:1:1 check_config: warning: a leftover of GPT_API without meaning here; it is ignored",
      "config.yaml:2:1 performance_test: warning: a leftover of GPT_API without meaning here; it is ignored",
    ])
  })

  it("anchors and merge keys: what is written out wins over what is merged, the earlier merged map over the later", () => {
    const config = loaded(`
openai_clients:
  - &a { name: a, base_url: "http://a", model_match: &gpt { type: keyword, value: [gpt] }, priority: 2, max_tokens: 7 }
  - { <<: *a, name: b, priority: 3 }
  - { <<: [{ priority: 4 }, *a], name: c, model_match: *gpt }
`)
    expect(
      config.openai_clients.map(({ name, priority, max_tokens }) => [name, priority, max_tokens]),
    ).toEqual([
      ["a", 2, 7],
      ["b", 3, 7],
      ["c", 4, 7],
    ])
  })

  it("a byte order mark, Windows line ends and comments, with columns as an editor counts them", () => {
    expect(load(`\uFEFF# x\r\n${withClient().replaceAll("\n", "\r\n")}`).problems).toEqual([])
    expect(render(`\uFEFFfoo: 1\r\n${none}`)[0]).toMatch(/^config\.yaml:1:1 foo: unknown key/)
  })

  it("bytes that are not UTF-8 are not taken for text", () => {
    expect(textOfBytes(new TextEncoder().encode("é"))).toBe("é")
    expect(textOfBytes(Uint8Array.of(0x61, 0xff))).toBeUndefined()
  })
})

describe("the environment", () => {
  it("fills strings, and numbers and booleans where no string is taken", () => {
    const text = `
retry: { rounds: "\${ROUNDS}" }
server: { trust_proxy: "\${TRUST}", access_keys: ["\${KEY}"] }
${withClient("api_key: ${KEY}", "priority: ${WEIGHT:-0.5}", "max_tokens: ${TOKENS}000", "model: ${MODEL}")}`
    const env = { ROUNDS: "3", TRUST: "true", KEY: "123", TOKENS: "4", MODEL: "true" }
    const { retry, server, openai_clients } = loaded(text, env)
    expect(retry.rounds).toBe(3)
    expect(server.trust_proxy).toBe(true)
    expect(server.access_keys.map(Redacted.value)).toEqual(["123"])
    expect(openai_clients[0]).toMatchObject({ priority: 0.5, max_tokens: 4000, model: "true" })
  })

  it("a number in quotes stays a string and is an error where it did not come out of the environment", () => {
    expect(render(withClient('max_tokens: "12"'))).toEqual([
      'config.yaml:5:17 openai_clients[0].max_tokens: expected a whole number from 1 to 2,147,483,647, got "12"',
    ])
  })

  it("an unset variable is an error naming the variable, the client and the line", () => {
    expect(render(withClient("api_key: ${OPENAI_API_KEY}")).slice(1)).toEqual([
      'config.yaml:5:14 openai_clients[0].api_key: the environment variable OPENAI_API_KEY is not set, and the client "a" needs it; set it, or write ${OPENAI_API_KEY:-default}',
    ])
  })

  it("an unset variable is one problem: nothing else is said of a value that is not known", () => {
    const text =
      `retry: { rounds: "\${A}" }\n${withClient("extra_body: ${B}", "headers: { connection: x, x: ${C:-y} }".replace("${C:-y}", '"${C}"'))}`.replace(
        "https://a.example/v1",
        "${URL}",
      )
    const problems = render(text)
    expect(problems.filter((it) => it.includes("is not set"))).toHaveLength(4)
    expect(problems).toHaveLength(5)
  })

  it("a variable that is set but empty passes the callers' keys through, with a warning", () => {
    expect(first(withClient("api_key: ${K}"), { K: "" }).api_key).toBeUndefined()
    expect(render(withClient("api_key: ${K}"), { K: "" })).toEqual([
      "config.yaml:5:14 openai_clients[0].api_key: warning: the environment variable is empty, so the callers' own keys are passed through",
    ])
    expect(render(withClient("api_key: ${K:-}"))).toEqual([])
  })

  it("a malformed reference says how one is written", () => {
    expect(render(withClient("model: ${not valid}"))[0]).toContain(
      "write ${NAME} or ${NAME:-default}, or $${",
    )
  })

  it("what it holds is neither told nor guessed at where it is wrong", () => {
    expect(render(`load_balancing: { strategy: "\${S}" }\n${withClient()}`, { S: "rnd" })).toEqual([
      'config.yaml:1:29 load_balancing.strategy: expected one of random, deterministic, least_connections, got "${S}"',
    ])
    expect(render(withClient("fallback: ${F}"), { F: "gp" })).toEqual([
      'config.yaml:5:15 openai_clients[0].fallback: "${F}" is neither a client\'s name nor a model that a client matches',
    ])
  })

  it("keys are not expanded", () => {
    expect(loaded(withClient("extra_body: { '${A}': 1 }")).openai_clients[0]?.extra_body).toEqual({
      "${A}": 1,
    })
  })
})

/** A client of a preset, with no address of its own. */
const withPreset = (preset: string, ...lines: ReadonlyArray<string>): string =>
  [
    "openai_clients:",
    "  - name: a",
    `    preset: ${preset}`,
    "    model_match: { type: exact, value: [a] }",
    ...lines.map((line) => `    ${line}`),
  ].join("\n")

describe("problems", () => {
  it.each<readonly [string, string, string]>([
    [
      "a misspelt key",
      withClient("fallbak: b"),
      '5:5 openai_clients[0].fallbak: unknown key; did you mean "fallback"?',
    ],
    [
      "a key at the wrong level",
      `strategy: random\n${none}`,
      "1:1 strategy: unknown key here; it belongs under load_balancing",
    ],
    [
      "a client's key at the top",
      `on_unsupported: reject\n${none}`,
      "1:1 on_unsupported: unknown key here; it belongs to an entry of openai_clients",
    ],
    [
      "a list of clients by the name of who speaks their dialect",
      "anthropic_clients: []",
      '1:1 anthropic_clients: unknown key; did you mean "openai_clients"? It holds clients of every provider and dialect (preset: anthropic)',
    ],
    [
      "an ability by the name that requests have for it",
      withClient("abilities: { temperature: none }"),
      '5:18 openai_clients[0].abilities.temperature: unknown key; did you mean "sampling"?',
    ],
    [
      "a choice by another name",
      withClient("on_unsupported: error"),
      '5:21 openai_clients[0].on_unsupported: expected one of drop, reject, got "error"; did you mean "reject"?',
    ],
    [
      "a key like nothing known",
      `audit: { zzz: 1 }\n${none}`,
      "1:10 audit.zzz: unknown key; known here: bodies, max_body_bytes, retention_months",
    ],
    [
      "a word that is no choice",
      `load_balancing: { strategy: rnd }\n${none}`,
      '1:29 load_balancing.strategy: expected one of random, deterministic, least_connections, got "rnd"; did you mean "random"?',
    ],
    [
      "what is said elsewhere here",
      withClient("api_version: 2024-10-21"),
      "5:5 openai_clients[0].api_version: unknown key; it stands behind base_url, as its query: ?api-version=…",
    ],
    [
      "a dialect by the name of who speaks it",
      withClient("dialects: [anthropic]"),
      '5:16 openai_clients[0].dialects[0]: expected one of chat, responses, messages, got "anthropic"; did you mean "messages"?',
    ],
    [
      "a preset by the name of its model",
      withClient("preset: claude"),
      '5:13 openai_clients[0].preset: expected the name of a preset, which docs/providers.md lists, got "claude"; did you mean "anthropic"?',
    ],
    [
      "yes for true",
      `request_cleaning: { merge_user_messages: yes }\n${none}`,
      '1:42 request_cleaning.merge_user_messages: expected true or false, got "yes"; did you mean true?',
    ],
    [
      "a thinking tag with its brackets",
      `thinking_tags: ["<think>"]\n${none}`,
      "1:17 thinking_tags[0]: expected the name of a tag without `<` and `>`: 1 to 32 letters, digits, `_`, `-` or `:`",
    ],
    [
      "no thinking tag",
      `thinking_tags: []\n${none}`,
      "1:16 thinking_tags: expected a list of 1 to 8 names of tags",
    ],
    [
      "a thinking tag twice",
      `thinking_tags: [think, thought, think]\n${none}`,
      "1:33 thinking_tags[2]: this tag is in the list already; remove one",
    ],
    [
      "a number of proxies below none",
      `server: { trust_proxy: -1 }\n${none}`,
      "1:24 server.trust_proxy: expected a whole number of proxies from 0 to 32",
    ],
    [
      "a preset that is none",
      withPreset("antropic"),
      '3:13 openai_clients[0].preset: expected the name of a preset, which docs/providers.md lists, got "antropic"; did you mean "anthropic"?',
    ],
    [
      "neither an address nor a preset",
      "openai_clients:\n  - name: a\n    model_match: { type: exact, value: [a] }",
      "2:5 openai_clients[0].base_url: missing; expected an http(s) URL, or a preset that knows it",
    ],
    [
      "a preset whose address is not the same for all",
      withPreset("azure"),
      "3:13 openai_clients[0].preset: needs a base_url of your own: write base_url: https://{resource}.openai.azure.com/openai/v1 with yours in place of {resource}",
    ],
    [
      "a preset whose address has two such words",
      withPreset("cloudflare"),
      "3:13 openai_clients[0].preset: needs a base_url of your own: write base_url: https://gateway.ai.cloudflare.com/v1/{account}/{gateway}/compat with yours in place of {account} and {gateway}",
    ],
    [
      "an address that was copied with such a word in it",
      withPreset("azure", "base_url: 'https://{resource}.openai.azure.com/openai/v1'"),
      "5:15 openai_clients[0].base_url: a word in braces is to be filled in: write your own in its place, without the braces",
    ],
    [
      "a dialect that is none",
      withClient("dialects: [chat, message]"),
      '5:22 openai_clients[0].dialects[1]: expected one of chat, responses, messages, got "message"; did you mean "messages"?',
    ],
    [
      "a dialect without brackets",
      withClient("dialects: messages"),
      "5:15 openai_clients[0].dialects: expected a list of dialects, got a string; put it in brackets, as in [a, b]",
    ],
    [
      "a dialect twice",
      withClient("dialects: [chat, chat]"),
      "5:22 openai_clients[0].dialects[1]: this dialect is listed twice",
    ],
    [
      "a path of an operation that is none",
      withClient("paths: { embedings: /e }"),
      '5:14 openai_clients[0].paths.embedings: unknown key; did you mean "embeddings"?',
    ],
    ...["e", "", "https://a.example/e"].map((path): readonly [string, string, string] => [
      `a path that does not begin with a slash: ${path}`,
      withClient(`paths: { embeddings: "${path}" }`),
      "5:26 openai_clients[0].paths.embeddings: expected a path that begins with /, or with // for one from the root of the host",
    ]),
    ...["/e?a=1", "/e#f"].map((path): readonly [string, string, string] => [
      `a path with a query or a fragment: ${path}`,
      withClient(`paths: { embeddings: "${path}" }`),
      "5:26 openai_clients[0].paths.embeddings: a path has no query and no fragment; what belongs to every path stays behind base_url",
    ]),
    ...["/../e", "/a/..", "//..", "/a/%2E%2e/e", "/./e", "/.%2e"].map(
      (path): readonly [string, string, string] => [
        `a path with dots: ${path}`,
        withClient(`paths: { embeddings: "${path}" }`),
        "5:26 openai_clients[0].paths.embeddings: a path holds no . or .. between its slashes",
      ],
    ),
    ...["/", "//", "///e", "/a//e", "/e/", "/a e", "/a\\\\e", "/{model}/e", "/a\\u0000"].map(
      (path): readonly [string, string, string] => [
        `a path that is no path: ${path}`,
        withClient(`paths: { embeddings: "${path}" }`),
        "5:26 openai_clients[0].paths.embeddings: a path holds no white space, braces, backslashes or empty parts",
      ],
    ),
    [
      "a network that is none",
      `server: { trust_proxy: [10.0.0.0/8, "10.0.0.0/64"] }\n${none}`,
      "1:37 server.trust_proxy[1]: no network; write one such as 10.0.0.0/8 or fd00::/8, or an address",
    ],
    [
      "a network without brackets",
      `server: { trust_proxy: 10.0.0.0/8 }\n${none}`,
      "1:24 server.trust_proxy: expected true, false, a number of proxies, or a list of networks in brackets, got a string",
    ],
    [
      "an origin with a star in it",
      `server: { cors: ["https://*.example"] }\n${none}`,
      '1:18 server.cors[0]: a * stands alone, for all origins; list each of the others, such as "https://chat.example"',
    ],
    [
      "a missing key",
      "openai_clients:\n  - base_url: http://a\n    model_match: { type: exact, value: [a] }",
      "2:5 openai_clients[0].name: missing; expected a non-empty name of at most 200 characters without control characters",
    ],
    [
      "a number out of bounds",
      `retry: { rounds: 0 }\n${none}`,
      "1:18 retry.rounds: expected a whole number from 1 to 100, got 0",
    ],
    [
      "a negative weight",
      withClient("priority: -1"),
      "5:15 openai_clients[0].priority: expected a number of at least 0, got -1",
    ],
    [
      "an infinite weight",
      withClient("priority: .inf"),
      "5:15 openai_clients[0].priority: expected a number of at least 0, got .inf",
    ],
    [
      "a status that is none",
      `retry: { retry_on: [99] }\n${none}`,
      '1:21 retry.retry_on[0]: expected an HTTP status from 100 to 599 or a class of them such as "5xx", got 99',
    ],
    [
      "a map instead of a list",
      "openai_clients: { a: 1 }",
      "1:17 openai_clients: expected a list of clients, got a map",
    ],
    [
      "a string instead of a list",
      withClient("stop: x"),
      "5:11 openai_clients[0].stop: expected a list of strings, got a string",
    ],
    [
      "a number as key",
      withClient("api_key: 12345"),
      "5:14 openai_clients[0].api_key: expected a string, got a number; write it in quotes",
    ],
    [
      "a stray line feed in a key",
      withClient('api_key: "k\\n"'),
      "5:14 openai_clients[0].api_key: the key holds white space or characters that a header cannot carry; check for a stray line feed, or a `Bearer` before it",
    ],
    [
      "an empty access key",
      `server: { access_keys: [""] }\n${none}`,
      "1:25 server.access_keys[0]: an empty access key would let everybody in; leave access_keys empty to ask for none",
    ],
    [
      "an access key out of an example",
      `server: { access_keys: [replace-me-too] }\n${none}`,
      "1:25 server.access_keys[0]: this is what examples have in a key's place, so anybody may guess it; make a key of your own, for instance with `openssl rand -hex 32`",
    ],
    [
      "extra_body that is no JSON",
      withClient("extra_body: '{'"),
      "5:17 openai_clients[0].extra_body: the string is not JSON of an object",
    ],
    [
      "extra_body that is a JSON list",
      withClient("extra_body: '[]'"),
      "5:17 openai_clients[0].extra_body: the string is not JSON of an object",
    ],
    [
      "extra_body that JSON cannot say",
      withClient("extra_body: { a: .nan }"),
      "5:17 openai_clients[0].extra_body: holds .nan or .inf, which JSON has no word for",
    ],
    [
      "a hop-by-hop header",
      withClient("headers: { Connection: close }"),
      "5:28 openai_clients[0].headers.Connection: this header belongs to the connection or the body's framing; Sluice sets it itself, remove it",
    ],
    [
      "an illegal header name",
      withClient('headers: { "a b": x }'),
      `5:23 openai_clients[0].headers["\u2026"]: not a legal header name: letters, digits and !#$%&'*+-.^_\`|~ only`,
    ],
    [
      "a header and its value in one pair of quotes",
      withClient('headers: { "Authorization: Bearer hunter2" }'),
      `5:47 openai_clients[0].headers["\u2026"]: not a legal header name: letters, digits and !#$%&'*+-.^_\`|~ only`,
    ],
    [
      "the key where the kind of its header is asked for",
      withClient("auth: hunter2"),
      "5:11 openai_clients[0].auth: expected bearer, x-api-key, api-key, or { header: NAME }, got a string",
    ],
    [
      "a near miss where a key may stand",
      withClient("auth: Bearer"),
      '5:11 openai_clients[0].auth: expected bearer, x-api-key, api-key, or { header: NAME }, got a string; did you mean "bearer"?',
    ],
    [
      "text that turns writing around",
      withClient('fallback: "\u202egro.evil"'),
      "5:15 openai_clients[0].fallback: a name of a model or client is one line of at most 1024 characters, without control characters or marks of direction",
    ],
    [
      "an illegal header value",
      withClient('headers: { a: "b\\nc" }'),
      "5:19 openai_clients[0].headers.a: the value holds characters that a header cannot carry (line feeds, or beyond Latin-1)",
    ],
    [
      "a header twice",
      withClient("headers: { a: b, A: c }"),
      '5:25 openai_clients[0].headers["\u2026"]: this header is given twice; header names are the same in upper and lower case',
    ],
    [
      "a fallback to nowhere",
      withClient("fallback: nobody"),
      '5:15 openai_clients[0].fallback: "nobody" is neither a client\'s name nor a model that a client matches',
    ],
    [
      "a client as its own fallback",
      withClient("fallback: a"),
      "5:15 openai_clients[0].fallback: the client falls back to itself, so nothing new would be tried; name another client or a model, or write false",
    ],
    [
      "a model fallback to the same client and model",
      withClient("fallback: gpt-4", "model: m"),
      '5:15 openai_clients[0].fallback: as a model, "\u2026" leads back to this client alone and to the same upstream model, so nothing new would be tried',
    ],
    [
      "a key given twice",
      withClient("model: a", "model: b"),
      '6:5 the key "model" is given twice in one map, first in line 5; remove one',
    ],
    ["a list as the whole", "- a\n", "1:1 expected a map of keys, of which `openai_clients` is one"],
    ["an empty file", "", "1:1 the file is empty; it needs at least `openai_clients:` and a list of clients"],
    [
      "a file of comments",
      "# later\n",
      "1:1 the file is empty; it needs at least `openai_clients:` and a list of clients",
    ],
    [
      "a second document",
      `${none}---\n${none}`,
      "2:1 a second document begins here; the configuration is one document without ---",
    ],
    ["a tab in the indentation", "openai_clients:\n\t- a", "2:1 a tab in the indentation; use spaces"],
    [
      "an unclosed bracket",
      "openai_clients: [",
      "1:18 a [ or { is not closed, or what stands in it is not indented enough",
    ],
    [
      "a reference without quotes in a flow map",
      `retry: {rounds: \${X}}\n${none}`,
      '1:17 inside [ ] or { } put a reference in quotes: "${X}"',
    ],
    [
      "a custom tag",
      withClient("model: !env X"),
      "5:12 a tag (!name) that is not known; quote a text that begins with !",
    ],
    [
      "an alias to nothing",
      withClient("model: *x"),
      "5:12 openai_clients[0].model: an alias to an anchor that is not set before it",
    ],
    [
      "an alias inside its anchor",
      withClient("stop: &s [*s]"),
      "5:15 openai_clients[0].stop[0]: an alias that stands inside its own anchor",
    ],
    ["deep nesting", `openai_clients: ${"[".repeat(5_000)}`, "this nests too deeply"],
  ])("of %s", (_, text, expected) => {
    const [told] = render(text).filter((line) => !line.includes("at your expense"))
    expect(told).toContain(expected.startsWith("this") ? expected : `config.yaml:${expected}`)
    expect(load(text).config).toBeUndefined()
  })

  it.each<readonly [string, string, string]>([
    [
      "one space too few",
      "   fallback: b",
      "5:4 the indentation does not fit: this stands in column 4, the keys of its list item in column 5; add 1 space",
    ],
    ["two spaces too many", "      fallback: b", "5:7 the indentation does not fit"],
    ["a tab", "\tfallback: b", "5:1 a tab in the indentation; use spaces"],
    ["no space after a colon", "    fallback:b", "5:13 a space is missing after this colon"],
    [
      "no colon",
      "    fallback",
      "5:5 a colon is missing: a key is followed by a colon, a space and its value",
    ],
    [
      "a quote that is not closed",
      '    fallback: "b',
      "5:15 the quote that opens here is not closed on its line",
    ],
    [
      "a single quote that is not closed",
      "    fallback: 'b\n    max_tokens: 3",
      "5:15 the quote that opens here is not closed on its line",
    ],
    [
      "a quote in a list that is not closed",
      '    stop: ["b]',
      "5:12 the quote that opens here is not closed on its line",
    ],
    ["a reference in a list", "    stop: [${B}]", '5:12 inside [ ] or { } put a reference in quotes: "${B}"'],
    [
      "a dash in another column",
      " - name: b",
      "5:2 the indentation does not fit: the dashes of one list stand in one column",
    ],
  ])("of %s, once and where it is", (_, line, expected) => {
    expect(render(`${withClient()}${line}\n`)).toEqual([expect.stringContaining(`config.yaml:${expected}`)])
  })

  it.each<readonly [string, string, string]>([
    ["a duration", "timeouts: { connect_ms: 10s }", '"10s"; write it in milliseconds, without a unit: 10000'],
    ["a count", "max_tokens: 4k", '"4k"; write it without a unit'],
    ["a text for a list", "stop: x", "got a string; put it in brackets, as in [a, b]"],
    [
      "an unknown key without a space",
      "extra_body: {}\n    <<: { fallback:b: 1 }",
      "a space is missing after the colon of fallback",
    ],
  ])("of %s, with how it is written", (_, line, expected) => {
    expect(render(withClient(line)).join("\n")).toContain(expected)
  })

  it("of a list that holds secrets repeats none of it", () => {
    const told = render(`server: { access_keys: team-key }\n${none}`)
    expect(told[0]).toContain("got a string; put it in brackets, as in [a, b]")
    expect(told.join()).not.toContain("team-key")
  })

  it("of a key that was written as a variable's name does not repeat it", () => {
    const told = render(withClient("api_key: ${gAbCdEf0123456789SECRETKEY}")).join()
    expect(told).toContain("an environment variable is not set")
    expect(told).not.toContain("gAbCdEf")
  })

  it("of a misspelt key not as of a missing one too", () => {
    expect(render(withClient().replace("openai_clients", "openai_client"))).toEqual([
      'config.yaml:1:1 openai_client: unknown key; did you mean "openai_clients"?',
    ])
  })

  it.each(["$OPENAI_API_KEY", "$(OPENAI_API_KEY)", "%OPENAI_API_KEY%", "pre-$OPENAI_API_KEY"])(
    "warns of %s, which is no reference",
    (key) => {
      expect(
        render(
          `server: { access_keys: [key-of-callers] }\n${withClient(`api_key: ${key.startsWith("%") ? `"${key}"` : key}`)}`,
        ),
      ).toEqual([
        expect.stringContaining(
          "openai_clients[0].api_key: warning: this looks like a variable of the environment, but is used as it stands; write ${OPENAI_API_KEY}",
        ),
      ])
    },
  )

  it("warns of keys that can be guessed, and refuses one that is both a caller's and an operator's", () => {
    const keys = (text: string) =>
      render(`${text}\n${none}`).filter((line) => line.includes("_keys") || line.includes("admin"))
    expect(keys("server: { access_keys: [k, key-of-callers] }")).toEqual([
      expect.stringMatching(/server\.access_keys\[0\]: warning: a key of 1 character can be guessed/),
    ])
    expect(keys("admin: { keys: [abc] }")).toEqual([
      expect.stringMatching(/admin\.keys\[0\]: warning: a key of 3 characters/),
    ])
    expect(keys("server: { access_keys: [key-of-callers] }\nadmin: { keys: [key-of-callers] }")).toEqual([
      expect.stringMatching(/admin\.keys\[0\]: this is an access key as well/),
    ])
    expect(keys("server: { access_keys: [key-of-callers] }\nadmin: { keys: [key-of-operators] }")).toEqual([])
  })

  it("warns of a provider's key that is handed out as an access key", () => {
    const warned = (key: string) =>
      render(`server: { access_keys: [key-of-callers] }\n${withClient(`api_key: ${key}`)}`)
    expect(warned("key-of-callers")).toEqual([
      expect.stringMatching(/server\.access_keys\[0\]: warning: this is the api_key of a client as well/),
    ])
    expect(warned("key-of-provider")).toEqual([])
  })

  it("warns where a caller's own key goes to several addresses, until each says whether it is meant", () => {
    const client = (name: string, url: string, more = "") =>
      `  - { name: ${name}, base_url: "${url}", model_match: { type: exact, value: [m] }${more} }\n`
    const told = (...clients: ReadonlyArray<string>) =>
      render(`openai_clients:\n${clients.join("")}`).filter((line) => line.includes("pass_key"))
    const [a, b] = [client("a", "https://a.example/v1"), client("b", "https://b.example/v1")]
    const warning = expect.stringContaining("warning: 2 clients without an api_key answer at 2 addresses")
    expect(told(a, b)).toEqual([warning])
    expect(told(client("a", "https://a.example/v1", ", pass_key: true"), b)).toEqual([warning])
    for (const second of [
      client("b", "https://a.example/v2"),
      client("b", "https://b.example/v1", ", pass_key: false"),
      client("b", "https://b.example/v1", ", api_key: x"),
      client("b", "https://b.example/v1", ", headers: { x-goog-api-key: x }"),
    ]) {
      expect(told(a, second)).toEqual([])
    }
    const meant = [a, b].map((one) => one.replace(" }\n", ", pass_key: true }\n"))
    expect(told(...meant)).toEqual([])
    expect(render(`server: { access_keys: [key-of-callers] }\nopenai_clients:\n${a}${b}`)).toEqual([])
  })

  it("takes a dollar for a dollar in texts of people's own and in passwords, which it does not repeat", () => {
    expect(render(withClient('stop: ["$END"]', "special_prefix: $PRICE", "extra_body: { a: $X }"))).toEqual(
      [],
    )
    expect(render(`server: { access_keys: [$ecretword] }\n${none}`).join()).not.toContain("ecretword")
  })

  it("warns where keys of providers are open to everybody, whatever kind of empty", () => {
    const open = (text: string) => render(text).filter((line) => line.includes("at your expense"))
    for (const server of [
      "",
      "server:\n",
      "server: {}\n",
      "server: { access_keys: }\n",
      "server: { access_keys: [] }\n",
    ]) {
      expect(open(`${server}${withClient("api_key: x")}`)).toEqual([
        expect.stringContaining("server.access_keys: warning: empty, and 1 client has an api_key: everybody"),
      ])
      expect(open(`${server}${withClient('api_key: ""')}`)).toEqual([])
      expect(open(`${server}${withClient("headers: { Authorization: x }")}`)).toHaveLength(1)
    }
    expect(open(`server: { access_keys: [k] }\n${withClient("api_key: x")}`)).toEqual([])
  })

  it("notes that a client without a priority beside one with it is standby in GPT_API", () => {
    const two = (model: string) =>
      `${withClient("priority: 3")}${withClient().replace("openai_clients:\n", "").replace("name: a", "name: b").replace("[gpt]", `[${model}]`)}`
    expect(render(two("gpt-4"))).toEqual([
      expect.stringContaining("openai_clients[1]: note: without a priority"),
    ])
    expect(render(two("claude"))).toEqual([])
  })

  it("tells a fallback that leads nowhere whatever else is wrong", () => {
    const nowhere = "openai_clients[0].fallback: "
    for (const text of [
      withClient("fallback: nobody").replace("https:", "htp:"),
      withClient("fallback: nobody", "max_tokens: many", "zzz: 1"),
      withClient("fallback: nobody").replace("type: keyword", "type: keywrd"),
      withClient("fallback: nobody").replace("[gpt]", "gpt"),
      withClient("fallback: nobody").replace("[gpt]", "[]"),
      withClient("fallback: nobody").replace("name: a", "name: 12"),
      `retry: { rounds: 0 }\nserver: 3\n${withClient("fallback: nobody")}`,
    ]) {
      expect(
        render(text).filter((line) => line.includes(nowhere)),
        text,
      ).toHaveLength(1)
    }
    // What is not known may be what is meant.
    expect(render(withClient("fallback: nobody").replace("name: a", "name: ${N}")).join()).not.toContain(
      nowhere,
    )
  })

  it.each<readonly [string, string]>([
    ["not-a-url", "expected a URL that begins with http:// or https://"],
    ["ftp://a", "expected a URL that begins with http:// or https://"],
    ["http://", "its host or port is not valid"],
    ["http://a:99999", "its host or port is not valid"],
    ["http://user:hunter2@a/v1", "carries no user or password"],
    ["http://a/v1?key=hunter2#x", "no fragment"],
    ["http://a/v1#x", "no fragment"],
  ])("of the base_url %s, without repeating it", (url, expected) => {
    const [problem, ...more] = render(withClient().replace("https://a.example/v1", url))
    expect(more).toEqual([])
    expect(problem).toContain(expected)
    expect(problem).not.toContain("hunter2")
  })

  it.each<readonly [string, string]>([
    ["socks5://me:hunter2@proxy:1080", "SOCKS"],
    ["ftp://hunter2", "http:// or https://"],
    ["http://me:hunter2@proxy:99999", "the URL of a proxy such as"],
  ])("of the proxy_url %s, without repeating it", (url, expected) => {
    const [problem, ...more] = render(withClient(`proxy_url: ${url}`))
    expect(more).toEqual([])
    expect(problem).toContain("openai_clients[0].proxy_url")
    expect(problem).toContain(expected)
    expect(problem).not.toContain("hunter2")
  })

  it("of a proxy of the environment that cannot be used, for the clients that would use it", () => {
    const env = { HTTPS_PROXY: "socks5://me:hunter2@proxy:1080", NO_PROXY: "b.example" }
    const problemsOf = (text: string) =>
      Either.match(loadConfig(text, env), { onLeft: (problems) => problems, onRight: () => [] })
    const [problem, ...more] = problemsOf(withClient())
    expect(more).toEqual([])
    const said = problem === undefined ? "" : toOperator(problem.message)
    expect(said).toMatch(/HTTPS_PROXY.*SOCKS.*proxy_url/)
    expect(said).not.toContain("hunter2")
    for (const text of [
      withClient("proxy_url: false"),
      withClient('proxy_url: ""'),
      withClient("proxy_url: http://proxy:3128"),
      withClient().replace("https://a.example", "https://b.example"),
      withClient().replace("https://a.example", "http://a.example"),
    ]) {
      expect(problemsOf(text)).toEqual([])
    }
  })

  it.each(["[]", '[""]', '["${EMPTY}"]'])(
    "of a model_match that could match nothing or everything: %s",
    (value) => {
      const problems = render(withClient().replace("[gpt]", value), { EMPTY: "" })
      expect(problems).toHaveLength(1)
      expect(problems[0]).toContain("openai_clients[0].model_match.value")
    },
  )

  it("aliases cannot blow the file up", () => {
    const laughs = Array.from({ length: 9 }, (_, i) =>
      i === 0
        ? "a0: &a0 [x]"
        : `a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(", ")}]`,
    )
    expect(render(`${laughs.join("\n")}\n${none}`)).toEqual([
      "config.yaml:1:1 with its aliases followed, the file has more than 200000 values",
    ])
  })

  it("what costs too much to be read as YAML is refused before it is", () => {
    const many = Array.from({ length: 60_000 }, (_, at) => `k${at}: 1`).join("\n")
    expect(render(many)).toEqual([
      "config.yaml:50001:7 the file has more than 100000 keys, values and lines, which no configuration has",
    ])
    expect(render(`openai_clients: [${"{},".repeat(40_000)}]`)).toHaveLength(1)
    for (const bracket of ["[", "{", "[{", "[\n"]) {
      expect(render(`a:\nb: ${bracket.repeat(200_000)}`)[0]).toContain("this nests too deeply")
    }
  })

  it("every key of a client that stands at the top is told where it belongs", () => {
    const ofClients = keysOf(UpstreamEntry.ast).filter((key) => !keysOf(GatewayConfig.ast).includes(key))
    expect(ofClients.length).toBeGreaterThan(20)
    for (const key of ofClients) {
      expect(render(`${key}: 1\n${none}`)[0]).toBe(
        `config.yaml:1:1 ${key}: unknown key here; it belongs to an entry of openai_clients`,
      )
    }
  })

  it("of very many mistakes the first are looked at closely, for each costs a look at all else", () => {
    const unknown = load(
      `openai_clients: []\n${Array.from({ length: 20_000 }, (_, at) => `retri${at}: 1`).join("\n")}`,
    )
    const told = unknown.problems.map(({ message }) => toOperator(message))
    expect(told.filter((message) => message.startsWith("unknown key"))).toHaveLength(20_000)
    expect(told.filter((message) => message.includes("did you mean")).length).toBeLessThan(300)
    const tags = load(`openai_clients:\n${"  - !x a\n".repeat(5_000)}`).problems
    expect(tags.filter(({ message }) => toOperator(message).startsWith("a tag"))).toHaveLength(50)
  })

  it("a chain of thousands of fallbacks is followed a hundred clients far from each", () => {
    const count = 2_000
    const clients = Array.from(
      { length: count },
      (_, at) =>
        `  - { name: c${at}, base_url: "http://h", model_match: { type: exact, value: [m${at}] }, fallback: c${(at + 1) % count} }`,
    )
    expect(load(`openai_clients:\n${clients.join("\n")}\n`).problems).toEqual([])
  })

  it.each<readonly [string, string]>([
    [
      "a name",
      String.raw`- { name: "a\ud800", base_url: "http://h", model_match: { type: exact, value: [m] } }`,
    ],
    [
      "a model",
      String.raw`- { name: a, model: "\udc00m", base_url: "http://h", model_match: { type: exact, value: [m] } }`,
    ],
    [
      "a keyword",
      String.raw`- { name: a, base_url: "http://h", model_match: { type: exact, value: ["m\ud800x"] } }`,
    ],
    [
      "a URL",
      String.raw`- { name: a, base_url: "http://h/\ud800", model_match: { type: exact, value: [m] } }`,
    ],
    [
      "a key",
      String.raw`- { name: a, api_key: "\ud800", base_url: "http://h", model_match: { type: exact, value: [m] } }`,
    ],
    [
      "a header",
      String.raw`- { name: a, headers: { a: "\ud800" }, base_url: "http://h", model_match: { type: exact, value: [m] } }`,
    ],
    [
      "a header's name",
      String.raw`- { name: a, headers: { "\ud800": a }, base_url: "http://h", model_match: { type: exact, value: [m] } }`,
    ],
    [
      "a prefix",
      String.raw`- { name: a, special_prefix: "\ud800", base_url: "http://h", model_match: { type: exact, value: [m] } }`,
    ],
    [
      "a member",
      String.raw`- { name: a, extra_body: { "\ud800": ["\ud83d"] }, base_url: "http://h", model_match: { type: exact, value: [m] } }`,
    ],
    [
      "a stop word",
      String.raw`- { name: a, stop: ["\ud800"], base_url: "http://h", model_match: { type: exact, value: [m] } }`,
    ],
  ])("half a character in %s is refused, with its place", (_, client) => {
    const { config, problems } = load(`openai_clients:\n  ${client}\n`)
    expect(config).toBeUndefined()
    const halves = problems.filter(({ message }) => toOperator(message).startsWith("half a character"))
    expect(halves.length).toBeGreaterThan(0)
    for (const { column, line } of halves) expect([line, column > 4]).toEqual([2, true])
  })

  it("a whole character in two halves is one", () => {
    expect(first(withClient(String.raw`special_prefix: "\ud83d\ude00"`)).special_prefix).toBe("\u{1f600}")
  })

  it.each(["a\\u2028b", "a\\nb", "a\\u202eb", "a\\x85", "a\\0", "m".repeat(1_025)])(
    "a name of more than a plain line is refused: %s",
    (name) => {
      for (const text of [
        withClient().replace("name: a", `name: "${name}"`),
        withClient(`model: "${name}"`),
        withClient().replace("[gpt]", `["${name}"]`),
      ]) {
        expect(load(text).config, text).toBeUndefined()
      }
    },
  )

  it("keys, headers and URLs that are too long to be sent are refused, not left out", () => {
    const long = "k".repeat(9_000)
    for (const [text, path] of [
      [withClient(`api_key: ${long}`), "openai_clients[0].api_key"],
      [withClient(`headers: { authorization: ${long} }`), "openai_clients[0].headers.authorization"],
      [withClient(`headers: { ${long.slice(0, 300)}: a }`), 'openai_clients[0].headers["\u2026"]'],
      [withClient().replace("/v1", `/${long}`), "openai_clients[0].base_url"],
      [`server: { access_keys: [${long}] }\n${withClient()}`, "server.access_keys[0]"],
    ] as const) {
      const wrong = load(text).problems.filter(({ severity }) => severity === "error")
      expect(wrong.map((problem) => toOperator(problem.path))).toEqual([path])
    }
  })

  it("all at once, in the order of the text, cross-checks too though other clients do not decode", () => {
    const text = `
retry: { rounds: many }
openai_clients:
  - name: a
    base_url: ftp://a
    model_match: { type: keywrd, value: [] }
    fallback: a
  - name: a
    base_url: http://a
    api_key: \${NOT_SET}
    model_match: { type: exact, value: [m] }
    fallbak: x
  - 7
`
    const { problems } = load(text)
    expect(problems.map(({ line, path }) => [line, toOperator(path)])).toEqual([
      [2, "server.access_keys"],
      [2, "retry.rounds"],
      [5, "openai_clients[0].base_url"],
      [6, "openai_clients[0].model_match.type"],
      [6, "openai_clients[0].model_match.value"],
      [7, "openai_clients[0].fallback"],
      [8, "openai_clients[1].name"],
      [10, "openai_clients[1].api_key"],
      [12, "openai_clients[1].fallbak"],
      [13, "openai_clients[2]"],
    ])
  })

  it("a fallback is not judged while a client it may mean cannot be read", () => {
    const text = `${withClient("fallback: b")}  - { name: "\${B}", base_url: "https://a.example/b", model_match: { type: exact, value: [m] } }\n`
    expect(load(text).problems.map(({ path }) => toOperator(path))).toEqual(["openai_clients[1].name"])
    expect(load(text, { B: "b" }).problems).toEqual([])
  })

  it("two clients may fall back to each other, and to a model", () => {
    const other = `  - { name: b, base_url: "https://a.example/b", model_match: { type: exact, value: [m] }, fallback: gpt-4 }\n`
    expect(load(withClient("fallback: b") + other).problems).toEqual([])
    expect(load(withClient("fallback: m") + other).problems).toEqual([])
  })

  it("another model of the same client is a fallback, with a warning", () => {
    expect(render(withClient("fallback: gpt-3"))).toEqual([
      'config.yaml:5:15 openai_clients[0].fallback: warning: as a model, "\u2026" is served by this client alone: no other client takes over',
    ])
  })

  it("a fallback by name that would be asked for a model of another provider is warned of, along the whole chain", () => {
    const client = (name: string, type: string, value: string, more = "") =>
      `  - { name: ${name}, base_url: "http://b", model_match: { type: ${type}, value: [${value}] }${more} }\n`
    const clients = (...lines: ReadonlyArray<string>) =>
      load(`openai_clients:\n${lines.join("")}`).problems.map(
        ({ line, path, severity, message }) =>
          `${line} ${toOperator(path)}: ${severity}: ${toOperator(message)}`,
      )
    const foreign = (line: number, at: number, name: string, models: string) =>
      `${line} openai_clients[${at}].fallback: warning: "${name}" would be asked for ${models}, which its model_match does not name; give it a \`model\`, or name here a model instead of a client`
    const other = client("deep", "keyword", "deepseek")

    expect(clients(client("a", "exact", "gpt-4o", ", fallback: deep"), other)).toEqual([
      foreign(2, 0, "deep", '"\u2026"'),
    ])
    expect(clients(client("a", "keyword", "deepseek, gpt", ", fallback: deep"), other)).toEqual([
      foreign(2, 0, "deep", 'models with "gpt" in their names'),
    ])
    // Asked for a name of its own: it matches it, has a `model`, or exact names; or the fallback is a model.
    expect(clients(client("a", "exact", "deepseek-chat", ", fallback: deep"), other)).toEqual([])
    expect(clients(client("a", "exact", "gpt", ", fallback: deepseek-chat"), other)).toEqual([])
    expect(
      clients(
        client("a", "exact", "gpt-4o", ", fallback: deep"),
        client("deep", "keyword", "deepseek", ", model: d"),
      ),
    ).toEqual([])
    expect(
      clients(client("a", "exact", "gpt-4o", ", fallback: deep"), client("deep", "exact", "deepseek")),
    ).toEqual([])
    // The model asked for at first goes along: what stands between may have a name of its own.
    expect(
      clients(
        client("a", "exact", "gpt-4o", ", fallback: b"),
        client("b", "exact", "qwen", ", fallback: deep"),
        other,
      ),
    ).toEqual([foreign(3, 1, "deep", '"\u2026"')])
    // A value out of the environment is told by its reference.
    expect(
      load(`openai_clients:\n${client("a", "exact", "${M}", ", fallback: deep")}${other}`, {
        M: "s3cret",
      }).problems.map(({ message }) => toOperator(message).includes("s3cret")),
    ).toEqual([false])
  })

  it("a base_url that ends with an endpoint, and no clients at all, are warned of", () => {
    expect(render(withClient().replace("/v1", "/v1/chat/completions"))).toEqual([
      "config.yaml:3:15 openai_clients[0].base_url: warning: ends with /chat/completions, which is appended again for each request; leave it out",
    ])
    expect(render(none)).toEqual([
      "config.yaml:1:17 openai_clients: warning: there are no clients, so every model is unknown",
    ])
  })
})

/** Every place of a configuration: its way, and what stands there. */
const placesOf = (
  value: Written,
  path: ReadonlyArray<string | number> = [],
): ReadonlyArray<readonly [ReadonlyArray<string | number>, Written]> => {
  const below: ReadonlyArray<readonly [string | number, Written]> = Array.isArray(value)
    ? value.map((item: Written, at: number) => [at, item] as const)
    : isMap(value)
      ? Object.entries(value)
      : []
  return [[path, value], ...below.flatMap(([step, it]) => placesOf(it, [...path, step]))]
}

/** `value` with what stands at `path` replaced. */
const replaceAt = (
  value: Written,
  path: ReadonlyArray<string | number>,
  by: (old: Written) => Written,
): Written => {
  const [step, ...rest] = path
  if (step === undefined) return by(value)
  if (Array.isArray(value))
    return value.map((item: Written, at: number) => (at === step ? replaceAt(item, rest, by) : item))
  return isMap(value)
    ? Object.fromEntries(
        Object.entries(value).map(([key, it]) => [key, key === step ? replaceAt(it, rest, by) : it]),
      )
    : value
}

/** Line and column of the only occurrence of `mark`. */
const whereIs = (mark: RegExp, text: string) => {
  const offset = text.search(mark)
  const before = text.slice(0, offset).split("\n")
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

const isFreeForm = (path: ReadonlyArray<string | number>) =>
  ["extra_body", "headers", "resume_body", "resume_message"].some((key) => path.includes(key))

describe("laws", () => {
  it("a valid configuration means the same however it is laid out in YAML", () => {
    fc.assert(
      fc.property(writtenConfig, layout, (config, layout) => {
        expect(encode(loaded(writeLiterally(config, layout)))).toEqual(encode(decode(config)))
      }),
      { numRuns: runs(60) },
    )
  })

  it("what was loaded, written again and loaded again is the same", () => {
    fc.assert(
      fc.property(writtenConfig, layout, (config, layout) => {
        const once = encode(decode(config))
        const again: Written = JSON.parse(JSON.stringify(once))
        expect(encode(loaded(writeLiterally(again, layout)))).toEqual(once)
      }),
      { numRuns: runs(40) },
    )
  })

  it("a value out of the environment means what it means in the file", () => {
    fc.assert(
      fc.property(writtenConfig, layout, (config, layout) => {
        const env: Record<string, string> = {}
        const referring = mapTexts(config, (text) => {
          const name = `V${Object.keys(env).length}`
          env[name] = text
          return `\${${name}}`
        })
        const text = stringify(referring, { ...layout, lineWidth: 0, aliasDuplicateObjects: false })
        expect(encode(loaded(text, env))).toEqual(encode(decode(config)))
      }),
      { numRuns: runs(60) },
    )
  })

  it("an unknown key is found where it stands, in whatever map", () => {
    fc.assert(
      fc.property(writtenConfig, layout, fc.nat(), (config, layout, draw) => {
        const maps = placesOf(config).filter(([path, value]) => isMap(value) && !isFreeForm(path))
        const [path] = maps[draw % maps.length] ?? [[]]
        const broken = replaceAt(config, path, (map) => (isMap(map) ? { ...map, QqzzqQ: 1 } : map))
        const text = writeLiterally(broken, layout)
        const { problems } = load(text)
        expect(problems.filter(({ severity }) => severity === "error")).toMatchObject([
          whereIs(/["']?QqzzqQ/, text),
        ])
      }),
    )
  })

  it("a value of the wrong kind is found where it stands", () => {
    fc.assert(
      fc.property(writtenConfig, layout, fc.nat(), (config, layout, draw) => {
        const places = placesOf(config).filter(
          ([path, value]) =>
            (typeof value === "number" || typeof value === "boolean") &&
            !isFreeForm(path) &&
            path.at(-1) !== "fallback",
        )
        fc.pre(places.length > 0)
        const [path] = places[draw % places.length] ?? [[]]
        const text = writeLiterally(
          replaceAt(config, path, () => "QqzzqQ"),
          { ...layout, defaultStringType: "PLAIN" },
        )
        expect(load(text).problems.filter(({ severity }) => severity === "error")).toMatchObject([
          whereIs(/QqzzqQ/, text),
        ])
      }),
    )
  })

  it("secrets never appear in problems, however broken the file is", () => {
    const secret = "S3CR3T"
    const secretive = (config: Written): Written =>
      replaceAt(config, ["openai_clients"], (clients) =>
        Array.isArray(clients)
          ? clients.map((client: Written, at: number) =>
              isMap(client)
                ? {
                    ...client,
                    api_key: `${secret}key`,
                    headers: { Authorization: `Basic ${secret}` },
                    extra_body: { password: `${secret}`, deep: [{ secret }] },
                    model: "${MODEL}",
                    special_prefix: "${PREFIX:-x}",
                    ...(at === 0
                      ? { base_url: `https://u:${secret}@h/?k=${secret}` }
                      : { fallback: "${FALLBACK}" }),
                  }
                : client,
            )
          : clients,
      )
    const env = { MODEL: secret, PREFIX: `${secret}${secret}`, FALLBACK: secret, NUMBER: `${secret}1` }
    const breakages: ReadonlyArray<(old: Written) => Written> = [
      (old) => [old],
      () => 5,
      () => null,
      () => "${NUMBER}",
      () => "${NUMBER",
      () => "${NOT_SET}",
      (old) => ({ old }),
      (old) => (isMap(old) ? { ...old, naem: secret, apikey: [secret] } : `${JSON.stringify(old)}\n`),
      (old) => (isMap(old) ? JSON.stringify(old) : {}),
      (old) => (isMap(old) || Array.isArray(old) ? secret : old),
    ]
    fc.assert(
      fc.property(
        writtenConfig,
        layout,
        fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 6 }),
        fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
        (config, layout, draws, cut) => {
          const whole: Written = {
            ...(isMap(config) ? config : {}),
            server: { access_keys: [`${secret} with a space`, secret] },
          }
          const broken = draws.reduce<Written>((value, [place, breakage]) => {
            const places = placesOf(value)
            const [path] = places[place % places.length] ?? [[]]
            return replaceAt(value, path, breakages[breakage % breakages.length] ?? ((old) => old))
          }, secretive(whole))
          const text = stringify(broken, { ...layout, lineWidth: 0, aliasDuplicateObjects: false })
          const rendered = render(cut === null ? text : text.slice(0, Math.floor(cut * text.length)), env)
          expect(rendered.length).toBeGreaterThan(0)
          expect(rendered.join("\n")).not.toContain(secret)
        },
      ),
      { numRuns: runs(150) },
    )
  })

  it("any text at all is answered with a configuration or with problems that have a place in it", () => {
    const scraps = fc.constantFrom(
      "openai_clients",
      ":",
      " ",
      "\n",
      "- ",
      "[",
      "]",
      "{",
      "}",
      "&a ",
      "*a",
      "<<",
      "'",
      '"',
      "|",
      ">",
      "#",
      "${",
      "}",
      "!!x",
      "%",
      "\t",
      "---",
      "a",
      "1",
      "null",
      "\u0000",
    )
    fc.assert(
      fc.property(fc.array(scraps, { maxLength: 40 }), (pieces) => {
        const text = pieces.join("")
        const { config, problems } = load(text)
        expect(config === undefined ? problems.length : 1).toBeGreaterThan(0)
        const lines = text.split("\n")
        for (const { line, column } of problems) {
          expect(line).toBeLessThanOrEqual(lines.length)
          expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1)
        }
      }),
      { numRuns: runs(400) },
    )
  })
})
