/** Keys of many providers' forms, made up, and the forms in which a text may come out again. */
import { madeUpBytes } from "./MadeUpBytes.ts"

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
const digits = "0123456789"

let draws = 0

const drawn = (alphabet: string, length: number): string =>
  Array.from(madeUpBytes(length, draws++), (byte) => alphabet[byte % alphabet.length] ?? "").join("")

/** With a digit and letters of both kinds in it, as nearly all keys of that length have. */
const mixed = (length: number): string => `q7${drawn(letters + digits, length - 4)}Z9`

/** A key of each form; other ones each time it is called, the same ones in each run. */
export const plantedKeys = (): Readonly<Record<string, string>> => ({
  openai: `sk-proj-${mixed(40)}_${mixed(20)}-${mixed(20)}`,
  "openai, old": `sk-${mixed(48)}`,
  anthropic: `sk-ant-api03-${mixed(40)}-${mixed(30)}AA`,
  openrouter: `sk-or-v1-${drawn("0123456789abcdef", 64)}`,
  groq: `gsk_${mixed(52)}`,
  google: `AIza${mixed(35)}`,
  azure: `7f${drawn("0123456789abcdef", 30)}`,
  mistral: mixed(32),
  xai: `xai-${mixed(80)}`,
  "hugging face": `hf_${mixed(34)}`,
  aws: `AKIA${drawn("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 14)}7Q`,
  bedrock: `ABSK${Buffer.from(`BedrockAPIKey-${mixed(12)}:${mixed(40)}`).toString("base64")}`,
  token: `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(`{"sub":"${mixed(8)}"}`).toString("base64url")}.${mixed(43)}`,
  short: mixed(8),
})

/** The parts of a secret that tell enough of it: the whole, and runs of it that no word of ours has. */
export const tellingParts = (secret: string): ReadonlyArray<string> =>
  secret.length <= 12 ? [secret] : [secret.slice(0, 24), secret.slice(-12)]

/** How a secret may be written: as it is, in JSON, percent-encoded, in base64 at each of the three offsets. */
export const writtenForms = (secret: string): ReadonlyArray<string> => {
  const inBase64 = [0, 1, 2].map((offset) =>
    // Without the letters that what stands around it has a part in.
    Buffer.from(`${"x".repeat(offset)}${secret}`)
      .toString("base64")
      .replace(/=+$/, "")
      .slice(offset === 0 ? 0 : offset + 1, -1),
  )
  return [
    ...new Set([
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
      ...inBase64,
      ...inBase64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
      Buffer.from(secret).toString("hex"),
    ]),
  ]
}

/** Which secrets are found in a text, in whatever form. */
export const foundIn = (text: string, secrets: Readonly<Record<string, string>>): ReadonlyArray<string> =>
  Object.entries(secrets).flatMap(([name, secret]) =>
    writtenForms(secret).some((form) => text.includes(form)) ||
    tellingParts(secret).some((part) => text.includes(part))
      ? [name]
      : [],
  )
