import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { stringify } from "yaml"
import { loadConfig } from "../../../src/config/file/ConfigFile.ts"
import { toOperator } from "../../../src/config/file/Saying.ts"
import { presetNames, presets } from "../../../src/config/schema/Presets.ts"

/** What is said of the address of such a client. */
const saidOf = (client: Readonly<Record<string, unknown>>): ReadonlyArray<string> => {
  const model_match = { type: "keyword", value: ["m"] }
  const text = stringify({
    server: { access_keys: ["sk-long-and-random-0123"] },
    openai_clients: [{ name: "a", api_key: "sk-1", model_match, ...client }],
  })
  // Where Sluice listens on another port than vLLM.
  const problems = Either.match(loadConfig(text, { SERVER_PORT: "7000" }), {
    onLeft: (all) => all,
    onRight: ({ warnings }) => warnings,
  })
  return problems.map(({ message, severity }) => `${severity}: ${toOperator(message)}`)
}

const addresses: ReadonlyMap<string, string> = new Map(
  Object.entries(presets).map(([name, { baseUrl }]) => [name, baseUrl]),
)
const addressOf = (name: string): string => addresses.get(name) ?? "{"

const anthropic = "https://api.anthropic.com/v1"
const azure = "https://mine.openai.azure.com/openai/v1"
const note = (of: string, name: string, header: string) =>
  `note: this is the address of ${of}; preset: ${name} sends the key as ${header}, and knows which dialects it speaks`

describe("A client at the address of a known provider", () => {
  it("is told of the preset that sends its key as the provider wants it", () => {
    expect(saidOf({ base_url: anthropic })).toEqual([note("Anthropic", "anthropic", "x-api-key")])
    expect(saidOf({ base_url: azure })).toEqual([note("Azure OpenAI", "azure", "api-key")])
    expect(saidOf({ base_url: azure, preset: "openai" })).toEqual([note("Azure OpenAI", "azure", "api-key")])
  })

  it("is told of the path that its address lacks", () => {
    expect(saidOf({ base_url: "https://api.anthropic.com", preset: "anthropic" })).toEqual([
      "warning: Anthropic answers below https://api.anthropic.com/v1; write that",
    ])
    expect(saidOf({ base_url: "https://api.openai.com/" })).toEqual([
      "warning: OpenAI answers below https://api.openai.com/v1; write that",
    ])
  })

  it.each([
    { base_url: anthropic, preset: "anthropic" },
    { base_url: anthropic, auth: "x-api-key" },
    { base_url: anthropic, auth: "bearer" },
    { base_url: "https://api.openai.com/v1" },
    { base_url: "https://api.deepseek.com" },
    { base_url: "https://api.anthropic.com.example/v1" },
    { base_url: "https://openai.azure.com.example/v1" },
    { base_url: "http://localhost:8001" },
  ])("is told nothing where all is said, or the host is another's: $base_url", (client) => {
    expect(saidOf(client)).toEqual([])
  })

  it("is told nothing that names a preset, and so has its address", () => {
    for (const preset of presetNames.filter((name) => !/[{]/.test(addressOf(name)))) {
      expect([preset, saidOf({ preset })]).toEqual([preset, []])
      expect([preset, saidOf({ preset, base_url: addressOf(preset) })]).toEqual([preset, []])
    }
  })
})

describe("A client of a preset that names its dialects", () => {
  it("is told of one that the provider is not known to speak", () => {
    expect(saidOf({ preset: "anthropic", dialects: ["messages", "responses"] })).toEqual([
      "warning: Anthropic is not known to speak responses, and requests in it would go there as they come; without dialects the preset's hold: messages",
    ])
    expect(
      saidOf({ preset: "openai", dialects: ["messages"], base_url: "https://api.openai.com/v1" }),
    ).toEqual([
      "warning: OpenAI is not known to speak messages, and requests in it would go there as they come; without dialects the preset's hold: chat, responses",
    ])
  })

  it("is told the same of a server as a note, since a newer version may speak more", () => {
    expect(saidOf({ preset: "tgi", dialects: ["responses"] })).toEqual([
      expect.stringMatching(/^note: Text Generation Inference is not known to speak responses/),
    ])
  })

  it.each([
    { preset: "anthropic", dialects: ["messages", "chat"] },
    { preset: "openai", dialects: ["chat"] },
    { preset: "openai", dialects: ["messages"], base_url: "https://proxy.example/v1" },
    { preset: "openai", dialects: [] },
  ])("is told nothing of those it speaks, of fewer, or at an address of another's: %j", (client) => {
    expect(saidOf(client)).toEqual([])
  })
})
