/** The examples of docs/routing.md: each configuration is read, and each command shown prints what is shown. */
import { readFileSync } from "node:fs"
import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { loadConfig } from "../../src/config/file/ConfigFile.ts"
import { publicly } from "../../src/config/file/Saying.ts"
import { makeSnapshot } from "../../src/config/Snapshots.ts"
import { explain } from "../../src/explain/Explain.ts"
import { render } from "../../src/explain/ExplainText.ts"

const guide = readFileSync(new URL("../../docs/routing.md", import.meta.url), "utf8")

interface Example {
  readonly config: string
  readonly model: string
  readonly prompt: string | undefined
  readonly output: string
}

/** Commands with the configuration that stands before them; one without upstreams adds to the last that has some. */
const examples: ReadonlyArray<Example> = (() => {
  const found: Array<Example> = []
  let config = ""
  for (const [, language = "", text = ""] of guide.matchAll(/^```(\w+)\n(.*?)^```$/gms)) {
    if (language === "yaml") config = text.includes("openai_clients:") ? text : text + config
    const [, model = "", prompt, output = ""] =
      /^\$ sluice explain --model (\S+)(?: --prompt (\S+))?\n(.*)$/s.exec(text) ?? []
    if (language === "console") found.push({ config, model, prompt, output })
  }
  return found
})()

describe("docs/routing.md", () => {
  it("has examples", () => {
    expect(examples.map(({ model, prompt }) => [model, prompt])).toEqual([
      ["gpt-4o", undefined],
      ["claude", undefined],
      ["gpt-4o", undefined],
      ["gpt-4o", "Hello"],
    ])
  })

  it.each(examples)("shows what explain prints for $model", ({ config, model, prompt, output }) => {
    const { config: decoded, warnings } = Either.getOrThrow(loadConfig(config, {}))
    // The examples are about routing: they are shortened, and leave out the access keys.
    const about = warnings.filter(
      ({ path, severity }) => severity === "warning" && publicly(path) !== "server.access_keys",
    )
    expect(about).toEqual([])
    const snapshot = makeSnapshot(decoded, { generation: 1, loadedAt: 0, env: {} })
    expect(`${render(explain(snapshot, { model, prompt }))}\n`).toBe(output)
  })
})
