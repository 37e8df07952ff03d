/** The lines that connect programs, for this address and this model. docs/agents.md says more of each. */

export interface Snippet {
  readonly program: string
  readonly note: string
  readonly text: string
}

interface Gateway {
  /** Without `/v1`. */
  readonly origin: string
  readonly model: string
}

const pythonOf = ({ model, origin }: Gateway): string => `import os
from openai import OpenAI

client = OpenAI(base_url="${origin}/v1", api_key=os.environ["SLUICE_KEY"])
answer = client.chat.completions.create(
    model=${JSON.stringify(model)},
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.choices[0].message.content)`

const javascriptOf = ({ model, origin }: Gateway): string => `import OpenAI from "openai"

const client = new OpenAI({ baseURL: "${origin}/v1", apiKey: process.env.SLUICE_KEY })
const answer = await client.chat.completions.create({
  model: ${JSON.stringify(model)},
  messages: [{ role: "user", content: "Hello" }],
})
console.log(answer.choices[0].message.content)`

const codexOf = ({ model, origin }: Gateway): string => `model = ${JSON.stringify(model)}
model_provider = "sluice"

[model_providers.sluice]
name = "Sluice"
base_url = "${origin}/v1"
env_key = "SLUICE_KEY"
wire_api = "responses"`

const opencodeOf = ({ model, origin }: Gateway): string =>
  JSON.stringify(
    {
      $schema: "https://opencode.ai/config.json",
      provider: {
        sluice: {
          npm: "@ai-sdk/openai-compatible",
          name: "Sluice",
          options: { baseURL: `${origin}/v1`, apiKey: "{env:SLUICE_KEY}" },
          models: { [model]: {} },
        },
      },
    },
    undefined,
    2,
  )

const curlOf = ({ model, origin }: Gateway): string => {
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] })
  return `curl ${origin}/v1/chat/completions \\
  -H "Authorization: Bearer $SLUICE_KEY" -H "Content-Type: application/json" \\
  -d '${body.replaceAll("'", "'\\''")}'`
}

export const snippetsFor = (gateway: Gateway): ReadonlyArray<Snippet> => [
  { program: "curl", note: "The shortest way to see it work.", text: curlOf(gateway) },
  {
    program: "OpenAI's SDKs, any program",
    note: "All of them read these two variables. No line of the program changes.",
    text: `export OPENAI_BASE_URL=${gateway.origin}/v1\nexport OPENAI_API_KEY=$SLUICE_KEY`,
  },
  { program: "OpenAI for Python", note: "pip install openai", text: pythonOf(gateway) },
  { program: "OpenAI for JavaScript", note: "npm install openai", text: javascriptOf(gateway) },
  {
    program: "Claude Code",
    note: "Any model will do: where its client does not speak messages, Sluice translates.",
    text: `export ANTHROPIC_BASE_URL=${gateway.origin}\nexport ANTHROPIC_AUTH_TOKEN=$SLUICE_KEY\nexport ANTHROPIC_MODEL='${gateway.model.replaceAll("'", "'\\''")}'\nclaude`,
  },
  { program: "Codex", note: "In ~/.codex/config.toml", text: codexOf(gateway) },
  { program: "OpenCode", note: "In opencode.json", text: opencodeOf(gateway) },
  {
    program: "Cursor",
    note: "Settings, Models, API Keys. Cursor asks from its own servers, so this address has to be public and have TLS.",
    text: `OpenAI API Key:           a key of a caller\nOverride OpenAI Base URL: ${gateway.origin}/v1\nCustom model:             ${gateway.model}`,
  },
]
