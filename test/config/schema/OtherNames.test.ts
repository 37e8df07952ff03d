import { describe, expect, it } from "vitest"
import { everyKey } from "../../../src/config/file/Expected.ts"
import { GatewayConfig } from "../../../src/config/schema/GatewayConfig.ts"
import { meantBy, otherNames } from "../../../src/config/schema/OtherNames.ts"
import { presetNames } from "../../../src/config/schema/Presets.ts"
import { dialects } from "../../../src/routing/Dialect.ts"

describe("What people call otherwise", () => {
  it.each([
    ["anthropic", "messages", undefined],
    ["Claude", "messages", "anthropic"],
    ["openai", "chat", undefined],
    ["chat.completions", "chat", undefined],
    ["google", undefined, "gemini"],
    ["nonsense", undefined, undefined],
  ])("%s is meant as the dialect %s and the preset %s", (word, dialect, preset) => {
    expect(meantBy(word, dialects)).toBe(dialect)
    expect(meantBy(word, presetNames)).toBe(preset)
  })

  it("is a word of the file each time", () => {
    const known = [...dialects, ...presetNames, ...everyKey(GatewayConfig.ast), "drop", "reject"]
    for (const word of otherNames) expect([word, meantBy(word, known)]).not.toContain(undefined)
  })
})
