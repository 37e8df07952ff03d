import { describe, expect, it } from "vitest"
import { maskedText } from "../../src/config/MaskedText.ts"
import { noSecrets } from "../../src/secrets/Secrets.ts"

const file = `# sk-in-a-comment
server: { access_keys: ["caller-key-0123456789", "\${ACCESS_KEY}"] }
admin: { keys: [operator-key-0123456789], port: 9000 }
openai_clients:
  - name: one
    base_url: "https://user:pass-word@one.example/v1?code=query-secret&v=\${VERSION}"
    api_key: \${ONE_KEY:-default-secret}
    headers: { x-own: header-secret, authorization: "Bearer \${TOKEN}", user-agent: me }
    model_match: { type: keyword, value: [gpt] }
    extra_body: { temperature: 1, token: body-secret }
`

describe("a configuration as its operator sees it", () => {
  const text = maskedText(file, noSecrets)

  it.each([
    "sk-in-a-comment",
    "caller-key",
    "operator-key",
    "pass-word",
    "query-secret",
    "default-secret",
    "header-secret",
    "body-secret",
  ])("has no %s", (secret) => {
    expect(text).not.toContain(secret)
  })

  it.each([
    `\${ACCESS_KEY}`,
    `\${ONE_KEY:-***}`,
    `Bearer \${TOKEN}`,
    "user-agent: me",
    "port: 9000",
    "one.example/v1",
    "temperature: 1",
    "keyword",
  ])("has %s", (kept) => {
    expect(text).toContain(kept)
  })
})
