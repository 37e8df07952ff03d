/** What else is known of a request, in pairs. Those by which others can be found are links. */
import type { ComponentChildren } from "preact"
import type { RequestRow } from "../../src/admin/api/RequestRow.ts"
import { fragmentOf } from "../route/Route.ts"
import { bytes, exact } from "../words/Numbers.ts"
import { absolute, timeOfDay } from "../words/Times.ts"

type Fact = readonly [string, ComponentChildren]

const known = (name: string, value: string | null): ReadonlyArray<Fact> =>
  value === null || value === "" ? [] : [[name, value]]

/** A fact that leads to all requests of which it is one. */
const leading = (name: string, filter: string, value: string | null): ReadonlyArray<Fact> =>
  value === null || value === ""
    ? []
    : [
        [
          name,
          <a
            key={name}
            href={fragmentOf({ page: "requests", filters: { [filter]: value } })}
            title="All requests of it"
          >
            {value}
          </a>,
        ],
      ]

const count = (name: string, value: number | null): ReadonlyArray<Fact> =>
  value === null || value === 0 ? [] : [[name, exact(value)]]

const flags = (row: RequestRow): string =>
  [
    row.stream === true ? "streamed" : "",
    row.tools === true ? "tools offered" : "",
    row.tool_calls === true ? "tools called" : "",
    row.multimodal === true ? "pictures, sounds or files" : "",
  ]
    .filter((word) => word !== "")
    .join(", ")

const Came = ({ at }: { readonly at: string }) => (
  <time dateTime={at} title={absolute(at)}>
    {timeOfDay(at, Date.now())}
  </time>
)

const factsOf = (row: RequestRow): ReadonlyArray<Fact> => [
  ["came", <Came key="came" at={row.started_at} />],
  ...leading("model", "model", row.model),
  ...leading("client", "upstream", row.upstream),
  ...known("model sent", row.upstream_model),
  ...leading("endpoint", "endpoint", row.endpoint),
  ...known("dialect", row.dialect),
  ...known("kind", flags(row)),
  ...leading("key", "key", row.key_fingerprint),
  ...leading("address", "ip", row.client_ip),
  ...known("program", row.user_agent),
  ...leading("conversation", "conversation", row.conversation),
  ...known("ended by", row.finish_reason),
  ...known("tariff", row.service_tier),
  ...known("client's id", row.upstream_request_id),
  ...known("answer's id", row.response_id),
  ...(row.answer_bytes === null
    ? []
    : [["answer", `${bytes(row.answer_bytes)} ${row.answer_type ?? ""}`] as const]),
  ...known("configuration", row.config_hash),
]

const tokensOf = (row: RequestRow): ReadonlyArray<Fact> => [
  ...count("of the prompt", row.prompt_tokens),
  ...count("from the cache", row.cached_tokens),
  ...count("into the cache", row.cache_write_tokens),
  ...count("of the answer", row.completion_tokens),
  ...count("of thinking", row.reasoning_tokens),
  ...count("of sound", row.audio_tokens),
  ...count("of pictures", row.image_tokens),
  ...count("search units", row.search_units),
  ...count("seconds of sound", row.audio_seconds),
  ...count("characters spoken", row.characters),
  ...count("pictures made", row.images),
]

const Pairs = ({ facts }: { readonly facts: ReadonlyArray<Fact> }) => (
  <dl class="facts">
    {facts.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
)

export const Facts = ({ row }: { readonly row: RequestRow }) => {
  const tokens = tokensOf(row)
  return (
    <>
      {tokens.length > 0 && (
        <section>
          <h3>Tokens</h3>
          <Pairs facts={tokens} />
        </section>
      )}
      <section>
        <h3>Facts</h3>
        <Pairs facts={factsOf(row)} />
      </section>
    </>
  )
}
