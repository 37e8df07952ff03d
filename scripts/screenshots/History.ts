/** A month of requests that came before: more by day than by night, less at the week's end, now and then something that failed. */
import { type AuditRow, rowWith } from "../../test/support/StoredAudit.ts"
import { talkOf } from "./Talk.ts"

/** Numbers from 0 to 1, the same each time (mulberry32). */
const chances = (seed: number) => {
  let state = seed
  return (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const hourMs = 3_600_000
const days = 30

/** Callers by the fingerprint of their key, with the model each asks for. `below` shares the draws out. */
const callers = [
  { key: "9f2c41d07be6a853", model: "gpt-5.1", program: "OpenAI/Python 2.8.0", below: 0.34, tokens: 2_400 },
  {
    key: "41b8e6f93ad27c10",
    model: "claude-sonnet-5",
    program: "claude-cli/2.1.332",
    below: 0.61,
    tokens: 18_000,
  },
  { key: "c07d5a12e94f8b36", model: "gpt-5.1-mini", program: "OpenAI/JS 6.49.0", below: 0.86, tokens: 700 },
  {
    key: "5e3019c8d7a6f42b",
    model: "deepseek-chat",
    program: "python-httpx/0.28.1",
    below: 1,
    tokens: 1_100,
  },
] as const

const clientOf = (model: string): string =>
  model.startsWith("claude") ? "anthropic" : model.startsWith("deepseek") ? "deepseek" : "openai"

/** How much of a day's traffic falls in an hour of UTC. */
const busyness = (at: Date): number => {
  const byHour = 0.25 + Math.max(0, Math.sin(((at.getUTCHours() - 5) / 24) * 2 * Math.PI))
  return byHour * (at.getUTCDay() % 6 === 0 ? 0.35 : 1)
}

const attempt = (upstream: string, status: number, ms: number) => ({ upstream, status, ms: Math.round(ms) })

const bodiesOf = (model: string, text: string) => {
  const talk = talkOf(model)
  const messages = [
    { role: "system", content: talk?.system },
    { role: "user", content: talk?.user },
  ]
  const choices = [{ index: 0, message: { role: "assistant", content: talk?.answer }, finish_reason: "stop" }]
  return {
    request: JSON.stringify({ model, messages, stream: true }),
    response: JSON.stringify({ id: `chatcmpl-${text}`, object: "chat.completion", model, choices }),
  }
}

/** One request at this instant. */
const requestAt = (at: number, index: number, chance: () => number): AuditRow => {
  const drawn = chance()
  const { key, model, program, tokens } = callers.find(({ below }) => drawn < below) ?? callers[0]
  const client = clientOf(model)
  const ttft = 240 + 900 * chance() ** 3
  const writing = 300 + 5_000 * chance() ** 2
  const luck = chance()
  const prompt = Math.round(tokens * (0.4 + 1.2 * chance()))
  const answered = Math.round(60 + 700 * chance() ** 2)
  const limited = luck < 0.03 && client === "openai"
  const failed = luck > 0.992
  const wait = limited ? 180 : 0
  const latency = failed ? 2_400 : wait + ttft + writing
  return rowWith(`history-${String(index).padStart(7, "0")}`, {
    ...bodiesOf(model, String(index)),
    id: `req_${(at + index).toString(36)}${Math.floor(chance() * 1e9).toString(36)}`,
    started_at: new Date(at).toISOString(),
    client_ip: `10.20.${index % 4}.${10 + (index % 90)}`,
    model,
    upstream_model: model,
    upstream: limited ? "azure" : client,
    attempts: JSON.stringify([
      ...(limited ? [attempt("openai", 429, 180)] : []),
      failed ? attempt(client, 503, 1_200) : attempt(limited ? "azure" : client, 200, ttft),
    ]),
    stream: 1,
    status: failed ? 503 : 200,
    outcome: failed ? "upstream_error" : "ok",
    error: failed ? `${client} answered 503: the server is overloaded` : null,
    prompt_tokens: failed ? null : prompt,
    completion_tokens: failed ? null : answered,
    total_tokens: failed ? null : prompt + answered,
    cached_tokens: failed ? null : Math.round(prompt * 0.6 * chance()),
    reasoning_tokens: null,
    latency_ms: latency,
    ttft_ms: failed ? null : wait + ttft,
    overhead_ms: 0.7 + 2 * chance(),
    user_agent: program,
    key_fingerprint: key,
  })
}

/** Requests of the month before `now`, epoch milliseconds, at so many an hour where it is busiest. */
export const history = (now: number, anHour: number): ReadonlyArray<AuditRow> => {
  const chance = chances(20261128)
  const rows: Array<AuditRow> = []
  for (let hour = now - days * 24 * hourMs; hour < now - hourMs / 12; hour += hourMs) {
    const share = hour > now - hourMs ? (now - hour) / hourMs : 1
    const count = Math.round(anHour * busyness(new Date(hour)) * (0.8 + 0.4 * chance()) * share)
    for (let nth = 0; nth < count; nth += 1) {
      rows.push(requestAt(Math.floor(hour + hourMs * share * chance() * 0.97), rows.length, chance))
    }
  }
  return rows
}
