/** The table of proxied operations. Adding one is a row here (and a schema where its answers differ in shape). */

export interface Endpoint {
  /** As the audit calls it. */
  readonly name: "chat.completions" | "completions"
  /** Below `/v1` towards clients, below `base_url` towards upstreams. */
  readonly path: "/chat/completions" | "/completions"
  /** The member that must be there, beside `model`. */
  readonly input: "messages" | "prompt"
}

export const chatCompletions: Endpoint = {
  name: "chat.completions",
  path: "/chat/completions",
  input: "messages",
}

export const completions: Endpoint = { name: "completions", path: "/completions", input: "prompt" }

export const endpoints: ReadonlyArray<Endpoint> = [chatCompletions, completions]
