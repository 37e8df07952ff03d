/** No text of another keeps a secret, however it is spelled. */
import { inspect } from "node:util"
import * as Redacted from "effect/Redacted"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { noSecrets, Secrets } from "../../src/secrets/Secrets.ts"

const base64 = (text: string): string => Buffer.from(text).toString("base64")

/** How texts of others may spell a key. */
const spellings: ReadonlyArray<readonly [name: string, spell: (key: string) => string]> = [
  ["as it is", (key) => key],
  ["in JSON", (key) => JSON.stringify(key)],
  ["in JSON within JSON", (key) => JSON.stringify(JSON.stringify({ key }))],
  ["in JSON with a slash escaped", (key) => key.replaceAll("/", "\\/")],
  [
    "in JSON with every character escaped",
    (key) =>
      Array.from(key, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0").toUpperCase()}`).join(
        "",
      ),
  ],
  ["in a URL", encodeURIComponent],
  ["in a URL within a URL", (key) => encodeURIComponent(encodeURIComponent(key))],
  [
    "in a URL with every character escaped",
    (key) => Array.from(Buffer.from(key), (byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  ],
  [
    "in HTML",
    (key) =>
      key.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;"),
  ],
  [
    "in HTML with every character escaped",
    (key) => Array.from(key, (one) => `&#x${one.charCodeAt(0).toString(16)};`).join(""),
  ],
  ["in upper case", (key) => key.toUpperCase()],
  ["in base64", base64],
  ["in base64 behind one byte", (key) => base64(`a${key}`)],
  ["in base64 behind two bytes", (key) => base64(`ab${key}`)],
  ["in base64 of a header", (key) => base64(`Bearer ${key} and more`)],
  ["in base64 for URLs", (key) => Buffer.from(`user:${key}`).toString("base64url")],
  ["in hexadecimal", (key) => Buffer.from(key).toString("hex")],
  ["in upper hexadecimal", (key) => Buffer.from(key).toString("hex").toUpperCase()],
  ["with what nobody sees in it", (key) => Array.from(key).join("\u200b")],
  ["in sixteen bits", (key) => Array.from(key).join("\0")],
  ["broken by a line", (key) => `${key.slice(0, 5)}\n${key.slice(5)}`],
]

/** Keys as ten providers and careless people make them. */
const keys = [
  "sk-proj-AbC123_dEf456-GhI789",
  "sk-ant-api03-xyzXYZ0123456789-_AA",
  "gsk_AbCdEf0123456789",
  "AIzaSyA-0123456789_abcdefg",
  "0123456789abcdef0123456789ABCDEF",
  "xai-0a1b2c3d4e5f",
  "hf_qwertyUIOPasdf",
  'pass"word\\with/odd&<signs>',
  "100%sure+key=",
  "schlüssel-für-alles",
]

const key = fc.string({
  minLength: 8,
  maxLength: 60,
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
})

/** What nothing of a key is, whatever stands before and behind it. */
const around = fc.string({ unit: fc.constantFrom(" ", ",", "é", "文", "\n", "\u202e", "🙂") })

describe("Secrets", () => {
  describe.each(spellings)("%s", (_, spell) => {
    it.each(keys)("finds %s", (one) => {
      const secrets = new Secrets(["another-key", one])
      const text = `<< ${spell(one)} >>`
      expect(secrets.without(text)).toMatch(/^<< .?\[redacted\]\S* >>$|^<< \S{0,30}\[redacted\]\S{0,16} >>$/s)
      const inBytes = Buffer.from(secrets.withoutIn(Buffer.from(text))).toString()
      expect(inBytes).toContain("[redacted]")
      expect(inBytes).not.toContain(spell(one))
    })
  })

  it.each([
    ["Incorrect API key: gsk_AbC123api.", "Incorrect API key: [redacted]."],
    ["xgsk_AbC123apix", "x[redacted]x"],
    ["a sk-1 b, task-1, sk-12", "a [redacted] b, task-1, sk-12"],
    ["none of them", "none of them"],
    ["nothing", "nothing"],
    ["", ""],
  ])("%s", (text, cleaned) =>
    expect(new Secrets(["gsk_AbC123api", "sk-1", "none", "a", "1"]).without(text)).toBe(cleaned),
  )

  it("leaves nothing of a secret that holds another", () => {
    expect(new Secrets(["abcdefgh", "abcdefgh-and-more"]).without("<abcdefgh-and-more>")).toBe("<[redacted]>")
  })

  it("finds one that was cut off at either end, where enough of it is left", () => {
    const secrets = new Secrets(["sk-0123456789-abcdefghijklmnopqrstuvwxyz"])
    expect(secrets.without("… sk-0123456789-abcdefgh…")).toBe("… [redacted]…")
    expect(secrets.without("…klmnopqrstuvwxyz.")).toBe("…[redacted].")
    // As providers show which key they mean.
    expect(secrets.without("sk-01234********wxyz")).toBe("sk-01234********wxyz")
  })

  it("knows the key of a client beside those of the configuration, which stay as they are", () => {
    const secrets = new Secrets(["configured-key"])
    const both = secrets.and(Redacted.make("clients-key"))
    expect(both.without("configured-key clients-key")).toBe("[redacted] [redacted]")
    expect(secrets.without("configured-key clients-key")).toBe("[redacted] clients-key")
  })

  it("prints nothing of them", () => {
    const secrets = new Secrets(["configured-key"]).and(Redacted.make("clients-key"))
    secrets.without("configured-key")
    for (const printed of [inspect(secrets, { depth: 9 }), JSON.stringify(secrets), String(secrets)]) {
      expect(printed).not.toContain("key")
    }
  })

  it("gives the very same text and bytes back where there is nothing to hide", () => {
    const bytes = Buffer.from('{"error":{"message":"no \\u00e9"}}')
    expect(new Secrets(["configured-key"]).withoutIn(bytes)).toBe(bytes)
    expect(noSecrets.withoutIn(bytes)).toBe(bytes)
  })

  it("law: no key stands in a text it went through, spelled in any of these ways, and going through it again changes nothing", () => {
    fc.assert(
      fc.property(
        fc.array(key, { minLength: 1, maxLength: 4 }),
        around,
        around,
        fc.constantFrom(...spellings),
        (all, before, after, [, spell]) => {
          const secrets = new Secrets(all)
          for (const one of all) {
            const cleaned = secrets.without(before + spell(one) + after)
            expect(cleaned).not.toContain(spell(one))
            expect(secrets.without(cleaned)).toBe(cleaned)
          }
        },
      ),
    )
  })

  it("law: JSON stays JSON", () => {
    fc.assert(
      fc.property(key, fc.string(), fc.string(), (one, before, after) => {
        const json = JSON.stringify({ error: { message: before + one + after, type: one } })
        const cleaned = new Secrets([one]).without(json)
        fc.pre(!json.replaceAll(JSON.stringify(one).slice(1, -1), "").includes(one))
        expect(() => JSON.parse(cleaned)).not.toThrow()
      }),
    )
  })

  it("takes time in proportion to a text, whatever it is made of: each place is looked at once a round", () => {
    const secrets = new Secrets(keys)
    for (const piece of ["\\", "%25", "&amp;", "sk-proj-", "\\u005c", "a"]) {
      const text = piece.repeat(60_000 / piece.length)
      expect(secrets.without(text).length).toBeLessThanOrEqual(text.length)
    }
  })
})
