// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to the environment look like this
/** What is told of a configuration: publicly nothing out of the file, to its operator nothing that may be a secret. */
import * as Either from "effect/Either"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { loadConfig, toldPublicly, toldToOperator } from "../../../src/config/file/ConfigFile.ts"
import { excerptOf } from "../../../src/config/file/Excerpt.ts"
import { fromFile, isHarmless, publicly, say, toOperator } from "../../../src/config/file/Saying.ts"
import { mistypedConfigs } from "../../support/MistypedConfigs.ts"
import { foundIn, plantedKeys } from "../../support/PlantedSecrets.ts"

const problemsOf = (text: string) =>
  Either.match(loadConfig(text, {}), { onLeft: (all) => all, onRight: ({ warnings }) => warnings })

describe("a saying", () => {
  const saying = say`unknown key ${fromFile("fallbak")}; ${fromFile("s3cr3t", { otherwise: say`a string` })} in line ${3}`

  it("is told without any text of the file to everybody", () => {
    expect(publicly(saying)).toBe('unknown key "\u2026"; a string in line 3')
  })

  it("is told to the operator with what can be no secret", () => {
    expect(toOperator(saying)).toBe('unknown key "fallbak"; a string in line 3')
  })

  it("law: its public telling is the same whatever the file says", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        const of = (text: string) =>
          say`a ${fromFile(text)} b ${fromFile(text, { known: [text], as: () => text })}`
        expect(publicly(of(one))).toBe(publicly(of(other)))
      }),
    )
  })
})

describe("a text that can be no secret", () => {
  it.each(["fallbak", "gpt", "nobody", "12", "-1", ".inf", "10s", "4k", "0.5", "${OPENAI_API_KEY}"])(
    "is %s",
    (text) => {
      expect(isHarmless(text)).toBe(true)
    },
  )

  it.each(["hunter2", "S3CRET", "Zebra", "a-b", "1234567", "${abc}", "${AKIAABCDEFGHIJKL}", "sk_abcdef", ""])(
    "is not %s",
    (text) => {
      expect(isHarmless(text)).toBe(false)
    },
  )

  it("is nearly a word of the program, and no longer than that", () => {
    expect(isHarmless("Random", ["random"])).toBe(true)
    expect(isHarmless("Base-URL", ["base_url"])).toBe(true)
    expect(isHarmless("resume_message:s3cr3t12", ["resume_message"])).toBe(false)
    expect(isHarmless("Xy", ["x"])).toBe(false)
  })
})

describe("a key in a wrong place", () => {
  it("law: the public telling is the same as that of any other key of its form", () => {
    const [one, other] = [plantedKeys(), plantedKeys()]
    for (const [place, write] of mistypedConfigs) {
      const [told, toldOfOther] = [one, other].map(({ anthropic = "" }) =>
        problemsOf(write(anthropic)).map(({ message, path, upstream }) =>
          [message, path, upstream].map(publicly),
        ),
      )
      expect(told, place).toEqual(toldOfOther)
    }
  })

  // Each place with three of the forms, each form in a fifth of the places: all pairs take half a minute.
  const forms = Object.entries(plantedKeys())
  const placesOf = (nth: number) =>
    mistypedConfigs.filter((_, at) => [0, 5, 9].some((step) => (at + step) % forms.length === nth))

  it.each(forms.map(([form, key], nth) => [form, key, placesOf(nth)] as const))(
    "of the form of %s is told nowhere",
    (form, key, places) => {
      const secrets = { [form]: key }
      let refused = 0
      for (const [place, write] of places) {
        const text = write(key)
        const problems = problemsOf(text)
        if (problems.some(({ severity }) => severity === "error")) refused++
        for (const problem of problems) {
          const { column, line } = problem
          const told = [
            toldPublicly("config.yaml", problem),
            toldToOperator("config.yaml", problem),
            toOperator(problem.upstream),
            excerptOf(text, line, column)?.line ?? "",
          ]
          expect(foundIn(told.join("\n"), secrets), `${place}: ${told.join("\n")}`).toEqual([])
        }
      }
      expect(refused).toBeGreaterThan(places.length / 2)
    },
  )
})
