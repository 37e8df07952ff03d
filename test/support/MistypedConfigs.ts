// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to the environment look like this
/** Configurations in which a key stands where none belongs, or in a form that cannot be read. */

/** One client with these lines more, the first on line 5. */
const entry = (...lines: ReadonlyArray<string>): string =>
  [
    "openai_clients:",
    "  - name: a",
    "    base_url: http://127.0.0.1:9/v1",
    "    model_match: { type: keyword, value: [zz-m-zz] }",
    ...lines,
    "",
  ].join("\n")

const lineOf = (key: string, value: string): string => `    ${key}: ${value}`

/** Keys of a client that take a word, a number, a boolean, a list or a map. */
const keysOfClient = [
  "api_key",
  "auth",
  "proxy_url",
  "priority",
  "fallback",
  "max_tokens",
  "max_tokens_member",
  "stream_usage",
  "pass_key",
  "headers",
  "extra_body",
  "thinking_format",
  "thinking_tags",
  "on_unsupported",
  "cache_marks",
  "abilities",
  "timeouts",
  "request_cleaning",
  "max_concurrent",
  "max_waiting",
  "hedge_after_ms",
  "resume",
  "resume_body",
  "stop",
  "model_match",
]

/** Settings beside the clients. */
const settings = [
  "load_balancing",
  "load_balancing.strategy",
  "thinking_format",
  "thinking_tags",
  "usage",
  "stream_start",
  "response_cleaning",
  "response_cleaning.strip_think_models",
  "request_cleaning.merge_user_messages",
  "models_cache.ttl_seconds",
  "retry.rounds",
  "retry.retry_on",
  "breaker.failures",
  "timeouts.connect_ms",
  "server",
  "server.access_keys",
  "server.trust_proxy",
  "server.max_body_bytes",
  "audit",
  "audit.bodies",
  "audit.max_body_bytes",
  "openai_clients",
]

const setting = (path: string, value: string): string => {
  const [section = "", key] = path.split(".")
  const rest = section === "openai_clients" ? "" : entry()
  return key === undefined ? `${section}: ${value}\n${rest}` : `${section}: { ${key}: ${value} }\n${rest}`
}

/** Ways in which a value may be written, good and bad ones. */
const writings: Readonly<Record<string, (key: string) => string>> = {
  plain: (key) => key,
  "in double quotes": (key) => `"${key}"`,
  "with a blank": (key) => `"${key} x"`,
  "with a scheme before it": (key) => `Bearer ${key}`,
  "in a list": (key) => `[${key}]`,
  "as a key of a map": (key) => `{ ${key}: x }`,
  "as a value of an unknown key": (key) => `{ value_of: ${key} }`,
  "without a space in a map": (key) => `{ key:${key} }`,
  "in braces": (key) => `\${${key}}`,
  "in quoted braces": (key) => `"\${${key}}"`,
  "as a default": (key) => `"\${NOPE:-${key}}"`,
  "as a default without its brace": (key) => `"\${NOPE:-${key}"`,
  "with a dollar": (key) => `$${key}`,
  "as an alias": (key) => `*${key}`,
  "as an anchor": (key) => `&${key} [x]`,
  "as a tag": (key) => `!${key} x`,
  "in a comment": (key) => `{ x # ${key}`,
  "in an open quote": (key) => `"${key}`,
  "in an open bracket": (key) => `[${key}`,
  "behind a bad escape": (key) => `"\\q${key}"`,
  "in a block": (key) => `|\n        ${key}`,
  "in a block with a tab": (key) => `|\n\t${key}`,
  "over several lines": (key) => `[\n        ${key},\n  ${key}\n    ]`,
  "before a second colon": (key) => `${key}: x`,
  "behind a second colon": (key) => `x: ${key}`,
  "behind a percent sign": (key) => `%${key}`,
  "behind an at sign": (key) => `@${key}`,
  "in a URL's user": (key) => `http://user:${key}@127.0.0.1:9/v1`,
  "in a URL's query": (key) => `http://127.0.0.1:99999/v1?key=${key}`,
  "as a URL's scheme": (key) => `${key}://127.0.0.1/v1`,
  "as a URL's host": (key) => `http://${key}:99999/v1`,
  "with a unit": (key) => `${key}ms`,
}

/** Whole files. */
const files: Readonly<Record<string, (key: string) => string>> = {
  "the key alone": (key) => key,
  "the key alone as a map": (key) => `${key}: x\n`,
  "the key alone in a list": (key) => `- ${key}\n`,
  "no file of YAML": (key) => `OPENAI_API_KEY=${key}\n`,
  "an environment file with a colon": (key) => `OPENAI_API_KEY: ${key}\n`,
  "a line of JSON": (key) => `{"api_key":"${key}"}`,
  "a key as a key, twice": (key) => `${key}: 1\n${key}: 2\n${entry()}`,
  "a key as a client's key, twice": (key) => entry(`    ${key}: 1`, `    ${key}: 2`),
  "the key twice": (key) => entry(lineOf("api_key", key), lineOf("api_key", `${key}2`)),
  "a tab before it": (key) => entry(`\tapi_key: ${key}`),
  "a column too few": (key) => entry(`   api_key: ${key}`),
  "no space behind the colon": (key) => entry(`    api_key:${key}`),
  "no colon": (key) => entry(`    api_key ${key}`),
  "an equals sign": (key) => entry(`    api_key=${key}`),
  "the key as a key": (key) => entry(`    ${key}: x`),
  "the key as a line": (key) => entry(`    ${key}`),
  "key and value in one pair of quotes": (key) => entry(`    headers: { "api-key: ${key}" }`),
  "key and value in quotes, a blank between": (key) => entry(`    headers: { "api-key ${key}": x }`),
  "a header named by the key": (key) => entry(`    headers: { "${key}": 1 }`),
  "a header with the key and a number": (key) => entry(`    headers: { "Authorization ${key}": 1 }`),
  "the key as a header, twice": (key) =>
    entry("    headers:", `      ${key}: x`, `      ${key.toUpperCase()}: y`),
  "a header's value over lines": (key) => entry(`    headers: { authorization: "Bearer ${key}\\n" }`),
  "the key as auth's header": (key) => entry(`    auth: { header: "${key} x" }`),
  "the key as two clients' names": (key) =>
    `${entry().replace("name: a", `name: ${key}`)}  - { name: ${key}, base_url: "http://h", model_match: { type: exact, value: [zz-x-zz] } }\n`,
  "the key as a name that is its own fallback": (key) =>
    entry(`    fallback: ${key}`, "    zzz: 1").replace("name: a", `name: ${key}`),
  "the key as a name beside an unset variable": (key) =>
    entry("    api_key: ${NOPE}").replace("name: a", `name: ${key}`),
  "the key as a fallback near a client": (key) =>
    `${entry(`    fallback: ${key}x`)}  - { name: ${key}, base_url: "http://h", model_match: { type: exact, value: [zz-x-zz] } }\n`,
  "the key as a model that nobody else serves": (key) =>
    entry(`    fallback: ${key}`, "    model: m").replace("[zz-m-zz]", `[${key}]`),
  "the key as a model's keyword": (key) =>
    `${entry("    fallback: b", "    zzz: 1").replace("[zz-m-zz]", `[${key}]`)}  - { name: b, base_url: "http://h", model_match: { type: keyword, value: [zz-x-zz] } }\n`,
  "the key as base_url": (key) => entry().replace("http://127.0.0.1:9/v1", key),
  "a second document": (key) => `${entry()}---\napi_key: ${key}\n`,
  "a directive": (key) => `%${key} 1\n${entry()}`,
  "a merge that is no map": (key) => entry(`    <<: ${key}`),
  "a merge of a map with it": (key) => entry(`    <<: { ${key}: x }`),
  "a name without its quote": (key) => entry(`    api_key: ${key}"`, `    model: '${key}`),
  "a trailing comma": (key) => entry(`    headers: { authorization: ${key},, }`),
  "a network": (key) => `server: { trust_proxy: ["${key}", 10.0.0.0/${key}] }\n${entry()}`,
  "an access key with a line feed": (key) => `server: { access_keys: ["${key}\\n"] }\n${entry()}`,
  "a nested list of access keys": (key) => `server: { access_keys: [[${key}]] }\n${entry()}`,
  "a leftover of GPT_API": (key) => `check_config: ${key}\nzzz: 1\n${entry()}`,
}

/** Each mistake, by name: the text of a file with this key in it. Some of them load, for the place takes any text. */
export const mistypedConfigs: ReadonlyArray<readonly [name: string, write: (key: string) => string]> = [
  ...Object.entries(files),
  ...keysOfClient.flatMap((place) =>
    Object.entries(writings).map(
      ([name, write]) => [`${place} ${name}`, (key: string) => entry(lineOf(place, write(key)))] as const,
    ),
  ),
  ...settings.flatMap((place) =>
    Object.entries(writings).map(
      ([name, write]) => [`${place} ${name}`, (key: string) => setting(place, write(key))] as const,
    ),
  ),
]
