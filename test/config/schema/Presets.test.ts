import * as fs from "node:fs"
import { describe, expect, it } from "vitest"
import { withPresets } from "../../../src/config/reference/PresetTable.ts"
import {
  holesIn,
  type Preset,
  presetCalled,
  presetNames,
  presets,
} from "../../../src/config/schema/Presets.ts"
import { operations } from "../../../src/operations/Operations.ts"

const all: ReadonlyArray<readonly [string, Preset]> = Object.entries(presets)

describe("presets", () => {
  it.each(all)("%s can be asked: an address, distinct dialects, paths", (_, preset) => {
    const url = new URL(preset.baseUrl.replaceAll(/[{}]/g, ""))
    expect(url.protocol).toBe(preset.isServer === true ? "http:" : "https:")
    expect([url.search, url.hash, url.username]).toEqual(["", "", ""])
    expect(preset.baseUrl).not.toMatch(/\/$/)
    expect(new Set(preset.dialects).size).toBe(preset.dialects.length)
    for (const path of Object.values(preset.paths ?? {})) expect(path).toMatch(/^\/\/?[a-z][\w./-]*$/)
  })

  it("name in their paths only operations that are served, and the list of models", () => {
    const served = new Set<string>(["models", ...Object.keys(operations)])
    const yetToCome = ["classify", "detokenize", "messages", "pooling", "rerank", "responses", "tokenize"]
    for (const [name, { paths = {} }] of all) {
      for (const of of Object.keys(paths)) expect([...served, ...yetToCome], name).toContain(of)
    }
  })

  it("are found by their names alone", () => {
    expect(presetNames).toContain("anthropic")
    expect(presetCalled("anthropic")).toBe(presets.anthropic)
    expect([undefined, "", "Anthropic", "constructor", "__proto__"].map(presetCalled)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  it("say which words of an address are to be filled in", () => {
    expect(holesIn(presets.cloudflare.baseUrl)).toEqual(["{account}", "{gateway}"])
    expect(holesIn(presets.openai.baseUrl)).toEqual([])
  })

  it("stand in docs/providers.md (renew it with `npm run generate`)", () => {
    const page = fs.readFileSync("docs/providers.md", "utf8")
    expect(withPresets(page)).toBe(page)
    for (const name of presetNames) expect(page).toContain(`| \`${name}\` |`)
  })
})
