/** Sections that hold for all upstreams, and of which each upstream may have keys of its own. */
import * as Schema from "effect/Schema"
import { optional, setting } from "./Keys.ts"
import { milliseconds } from "./Values.ts"

const cleaningKeys = {
  merge_user_messages: "Joins consecutive `user` messages into one and drops nothing.",
  drop_empty_messages: "Leaves out messages with nothing in them, but never tool messages or tool calls.",
  strip_history_think:
    "Removes thinking (`<think>…</think>`, or the tags of `thinking_tags`) from assistant messages before the last `user` message, as the format `strip` removes it from answers. Messages after it, as in a loop of tool calls, keep their thinking.",
} as const

const globalCleaning = (key: keyof typeof cleaningKeys) =>
  setting(Schema.Boolean, true, { description: cleaningKeys[key], examples: [false] })

const upstreamCleaning = (key: keyof typeof cleaningKeys) =>
  optional(Schema.Boolean, {
    description: `${cleaningKeys[key]} Absent: the global \`request_cleaning.${key}\`.`,
    examples: [false],
  })

export const RequestCleaning = Schema.Struct({
  merge_user_messages: globalCleaning("merge_user_messages"),
  drop_empty_messages: globalCleaning("drop_empty_messages"),
  strip_history_think: globalCleaning("strip_history_think"),
})

export const UpstreamRequestCleaning = Schema.Struct({
  merge_user_messages: upstreamCleaning("merge_user_messages"),
  drop_empty_messages: upstreamCleaning("drop_empty_messages"),
  strip_history_think: upstreamCleaning("strip_history_think"),
})

const timeoutKeys = {
  connect_ms: {
    absent: 10_000,
    description: "The longest wait for the connection to the upstream, TLS included.",
  },
  first_byte_ms: {
    absent: 300_000,
    description:
      "The longest wait for the first event of a stream that says something. Each sign of life before it (a comment, a ping, a role) begins the wait anew.",
  },
  answer_ms: { absent: 600_000, description: "The longest wait for the last byte of a plain answer." },
  idle_ms: { absent: 300_000, description: "The longest silence inside an answer." },
  total_ms: { absent: 1_800_000, description: "The longest time for one attempt as a whole." },
} as const

const globalTimeout = (key: keyof typeof timeoutKeys) =>
  setting(milliseconds, timeoutKeys[key].absent, {
    description: `${timeoutKeys[key].description} In milliseconds.`,
    examples: [timeoutKeys[key].absent / 2],
  })

const upstreamTimeout = (key: keyof typeof timeoutKeys) =>
  optional(milliseconds, {
    description: `${timeoutKeys[key].description} In milliseconds; absent: the global \`timeouts.${key}\`.`,
    examples: [timeoutKeys[key].absent / 2],
  })

export const Timeouts = Schema.Struct({
  request_ms: setting(milliseconds, 3_600_000, {
    description:
      "The longest time for one request as a whole: all its attempts, the waits between them, and the answer. A caller's `x-request-timeout-ms` header can only shorten it. In milliseconds.",
    examples: [600_000],
  }),
  connect_ms: globalTimeout("connect_ms"),
  first_byte_ms: globalTimeout("first_byte_ms"),
  answer_ms: globalTimeout("answer_ms"),
  idle_ms: globalTimeout("idle_ms"),
  total_ms: globalTimeout("total_ms"),
})

export const UpstreamTimeouts = Schema.Struct({
  connect_ms: upstreamTimeout("connect_ms"),
  first_byte_ms: upstreamTimeout("first_byte_ms"),
  answer_ms: upstreamTimeout("answer_ms"),
  idle_ms: upstreamTimeout("idle_ms"),
  total_ms: upstreamTimeout("total_ms"),
})
