/** What the GenAI conventions of OpenTelemetry call an operation and a provider. */
import type { Upstream } from "../../routing/Upstream.ts"

const operations: ReadonlyMap<string, string> = new Map([
  ["chat.completions", "chat"],
  ["messages", "chat"],
  ["responses", "chat"],
  ["completions", "text_completion"],
  ["embeddings", "embeddings"],
  ["images.generations", "generate_content"],
  ["images.edits", "generate_content"],
  ["images.variations", "generate_content"],
  ["audio.speech", "generate_content"],
])

/** The conventions' word, where they have one; else the endpoint's own name. */
export const operationName = (endpoint: string): string => operations.get(endpoint) ?? endpoint

/** Providers that have a name there, by the ends of their hosts. */
const owners: ReadonlyArray<readonly [host: string, name: string]> = [
  ["api.openai.com", "openai"],
  ["anthropic.com", "anthropic"],
  ["openai.azure.com", "azure.ai.openai"],
  ["ai.azure.com", "azure.ai.inference"],
  ["api.aws", "aws.bedrock"],
  ["amazonaws.com", "aws.bedrock"],
  ["aiplatform.googleapis.com", "gcp.vertex_ai"],
  ["generativelanguage.googleapis.com", "gcp.gemini"],
  ["api.deepseek.com", "deepseek"],
  ["api.groq.com", "groq"],
  ["mistral.ai", "mistral_ai"],
  ["moonshot.ai", "moonshot_ai"],
  ["moonshot.cn", "moonshot_ai"],
  ["cohere.ai", "cohere"],
  ["cohere.com", "cohere"],
  ["perplexity.ai", "perplexity"],
  ["api.x.ai", "x_ai"],
  ["ml.cloud.ibm.com", "ibm.watsonx.ai"],
]

/** Where an upstream is, as the conventions tell it. */
export interface ServerPlace {
  readonly owner: string
  readonly address: string
  readonly port: number
}

const isWithin = (host: string, end: string): boolean => host === end || host.endsWith(`.${end}`)

/** Of an upstream without a name of its own there, the provider is called as the configuration calls it. */
export const placeOf = ({ baseUrl, name }: Pick<Upstream, "baseUrl" | "name">): ServerPlace => {
  const { hostname, port, protocol } = new URL(baseUrl)
  const known = owners.find(([end]) => isWithin(hostname, end))
  return {
    owner: known?.[1] ?? name,
    address: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port),
  }
}

/** What a provider was called until version 1.36, in `gen_ai.system`. */
export const systemOf = (owner: string): string => (owner === "x_ai" ? "xai" : owner)
