/** The table of presets in docs/providers.md, generated from their data. */
import { holesIn, type Preset, presets } from "../schema/Presets.ts"

const code = (text: string): string => `\`${text}\``

const baseUrlOf = ({ baseUrl }: Preset): string =>
  holesIn(baseUrl).length === 0 ? code(baseUrl) : `${code(baseUrl)}, which you write with yours in it`

const listed = (words: ReadonlyArray<string>): string =>
  words.length === 0 ? "none" : words.map(code).join(", ")

const known = ({ abilities, asksUsage, auth, maxTokensMember, note, paths }: Preset): string =>
  [
    ...(auth === undefined ? [] : [`auth: ${auth}`]),
    ...(maxTokensMember === undefined ? [] : [`max_tokens_member: ${maxTokensMember}`]),
    ...(asksUsage === undefined ? [] : [`stream_usage: ${asksUsage}`]),
    ...(abilities?.topK === undefined ? [] : [`abilities: { top_k: ${abilities.topK} }`]),
    ...(paths === undefined
      ? []
      : [
          `paths: { ${Object.entries(paths)
            .map(([name, path]) => `${name}: ${path}`)
            .join(", ")} }`,
        ]),
  ]
    .map(code)
    .concat(note ?? [])
    .join("; ")

const table = [
  "| preset | provider | `base_url` | dialects | what else it sets, and what to know |",
  "|---|---|---|---|---|",
  ...Object.entries(presets).map(
    ([name, preset]) =>
      `| ${code(name)} | ${preset.of} | ${baseUrlOf(preset)} | ${listed(preset.dialects)} | ${known(preset)} |`,
  ),
].join("\n")

/** docs/providers.md with the table of presets. */
export const withPresets = (page: string): string =>
  page.replace(/^\| preset \|.*\n(?:\|.*\n)*/m, () => `${table}\n`)
