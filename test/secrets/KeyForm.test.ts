/** Which texts are of the form of a key, and that names of models and files are not. */
import { describe, expect, it } from "vitest"
import { hasKeyForm, withoutKeyForms } from "../../src/secrets/KeyForm.ts"
import { plantedKeys } from "../support/PlantedSecrets.ts"

describe("hasKeyForm", () => {
  it.each(Object.entries(plantedKeys()).filter(([form]) => form !== "short" && form !== "bedrock"))(
    "knows a key of %s",
    (_, key) => {
      expect(hasKeyForm(key)).toBe(true)
      expect(withoutKeyForms(`/v1/${key}/chat`)).toBe("/v1/[redacted]/chat")
    },
  )

  it.each([
    "gpt-4o-mini-2024-07-18",
    "claude-3-5-sonnet-20241022",
    "meta-llama/Llama-3.3-70B-Instruct-Turbo-Free",
    "Qwen2.5-Coder-32B-Instruct-AWQ-8bit-128k",
    "ft:gpt-4o-mini-2024-07-18:my-org:custom-suffix:9aBcDeFg",
    "record.db",
    "sk-model",
    "hf_internal_testing",
    "/v1/chat/completions",
    "",
  ])("takes %s for none", (name) => {
    expect(withoutKeyForms(name)).toBe(name)
  })
})
