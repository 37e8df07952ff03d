/** Configurations for tests that run a whole gateway: valid YAML from a few words, with delays short enough for a test. */
import { stringify } from "yaml"

/** An entry of `openai_clients` as it is written, `base_url` required, the rest filled in with what serves every gpt model. */
export interface Entry {
  readonly base_url: string
  readonly name?: string
  readonly [key: string]: unknown
}

/** A key that stands in configurations of tests and must never be seen by a client. */
export const configuredKey = "sk-configured-secret"

/**
 * A configuration with these upstreams, named `first`, `second`, … unless they say otherwise, the earlier ones asked before the
 * later: all but the first are standbys, unless they say otherwise.
 */
export const configOf = (
  entries: ReadonlyArray<Entry>,
  rest: Readonly<Record<string, unknown>> = {},
): string =>
  stringify({
    retry: { rounds: 1, base_delay_ms: 1, max_delay_ms: 5 },
    timeouts: {
      connect_ms: 2_000,
      first_byte_ms: 10_000,
      answer_ms: 20_000,
      idle_ms: 10_000,
      total_ms: 60_000,
    },
    ...rest,
    openai_clients: entries.map((entry, index) => ({
      name: ordinals[index] ?? `upstream${index}`,
      api_key: configuredKey,
      model_match: { type: "keyword", value: ["gpt"] },
      priority: index === 0 ? 1 : 0,
      ...entry,
    })),
  })

const ordinals = ["first", "second", "third", "fourth"]
