/** Prints what CHANGELOG.md says of a version: `node scripts/releaseNotes.js 0.1.0`. Fails where it says nothing. */
import { readFileSync } from "node:fs"

/** The text under a version's heading; `undefined` where there is none. */
export const notesOf = (changelog, version) => {
  const lines = changelog.split("\n")
  const start = lines.findIndex((line) => line.startsWith(`## [${version}]`))
  if (start < 0) return undefined
  const rest = lines.slice(start + 1)
  const end = rest.findIndex((line) => line.startsWith("## "))
  const text = (end < 0 ? rest : rest.slice(0, end)).join("\n").trim()
  return text === "" ? undefined : text
}

if (process.argv[1]?.endsWith("releaseNotes.js")) {
  const version = process.argv[2] ?? ""
  const notes = notesOf(readFileSync("CHANGELOG.md", "utf8"), version)
  if (notes === undefined) {
    console.error(
      `CHANGELOG.md says nothing of ${version}: give its entries a heading "## [${version}] - date".`,
    )
    process.exit(1)
  }
  console.log(notes)
}
