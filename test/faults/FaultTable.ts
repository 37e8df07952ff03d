/** What came of the faults, as the tables of docs/reliability.md: made from what was observed, not from what was expected. */
import type { CallerFault, CallerSeen } from "./CallerFaults.ts"
import { type Way, ways } from "./Cases.ts"
import { type Company, fallbackText, type Seen } from "./Expectation.ts"
import type { Observed } from "./FaultRun.ts"
import type { Fault, Row, Section } from "./Faults.ts"

/** `undefined` where the fault is not asked for in this way, or not in this company. */
export type Lookup = (fault: Fault, way: Way, company: Company) => Observed | undefined

const code = (text: string | number | null): string => `\`${text}\``

const wordsOf = (seen: Seen, attemptStatus: number | undefined): string => {
  switch (seen.kind) {
    case "answer":
      return seen.text === fallbackText ? "the fallback's answer" : "the answer"
    case "as it came":
      return seen.status === attemptStatus
        ? "its status and body, as they came"
        : seen.status < 300
          ? "its body, as it came"
          : `${seen.status}, its body as it came`
    case "error":
      return seen.status === attemptStatus
        ? `its status, ${code(seen.code)}`
        : `${seen.status} ${code(seen.code)}`
    case "broken":
      return seen.code === null || seen.code === "upstream_stream_broken"
        ? "what it said until then, and an error event"
        : `what it said until then, and its error (${code(seen.code)})`
    case "other":
      return seen.what
  }
}

/** Figures and what a library said are left out: they differ between machines and versions. */
const causeOf = (attempt: {
  readonly status: number | undefined
  readonly cause: string | undefined
}): string =>
  attempt.cause === undefined
    ? "its status"
    : attempt.cause.replace(/ after \d+ ms/, "").replace(/ \((?!connect|first_byte|answer|idle|total).*/s, "")

interface Told {
  readonly withFallback: string
  readonly alone: string
  readonly attempt: string
}

const unique = (texts: ReadonlyArray<string>): string => [...new Set(texts)].join("; ")

const tell = (row: Row, way: Way, lookup: Lookup): Told | undefined => {
  const inCompany = (company: Company) => row.faults.flatMap((fault) => lookup(fault, way, company) ?? [])
  const alone = inCompany("alone")
  if (alone.length === 0) return undefined
  const words = (observed: ReadonlyArray<Observed>) =>
    unique(observed.map(({ firstAttempt, seen }) => wordsOf(seen, firstAttempt?.status)))
  return {
    withFallback: words(inCompany("with fallback")),
    alone: words(alone),
    attempt: unique(
      alone.flatMap(({ firstAttempt }) => (firstAttempt === undefined ? [] : causeOf(firstAttempt))),
    ),
  }
}

/** What is the same for both ways is said once. */
const merged = (told: ReadonlyMap<Way, Told>, part: keyof Told): string => {
  const texts = [...told].map(([way, one]) => [way, one[part]] as const)
  return new Set(texts.map(([, text]) => text)).size === 1
    ? (texts[0]?.[1] ?? "")
    : texts.map(([way, text]) => `${way}: ${text}`).join("<br>")
}

const line = (cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |`

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n")

const renderSection = ({ rows, title }: Section, lookup: Lookup): string => {
  const lines = rows.map((row) => {
    const told = new Map<Way, Told>()
    for (const way of ways) {
      const one = tell(row, way, lookup)
      if (one !== undefined) told.set(way, one)
    }
    const attempt = merged(told, "attempt")
    return [
      row.words,
      merged(told, "withFallback"),
      merged(told, "alone"),
      attempt === "" ? "not looked into" : attempt,
    ]
  })
  return `**${title}**\n\n${table(["the upstream", "with a healthy fallback", "alone", "its attempt in the audit"], lines)}`
}

const callerRow = (fault: CallerFault, { audited, seen }: CallerSeen): ReadonlyArray<string> => [
  fault.words,
  seen.kind === "answer"
    ? unique([
        String(seen.status),
        ...(seen.code === null ? [] : [code(seen.code)]),
        ...(seen.param === null ? [] : [`param ${code(seen.param)}`]),
      ]).replaceAll("; ", " ")
    : seen.kind === "left"
      ? "nothing: it has left"
      : "the connection is closed",
  audited === undefined ? "no row: no endpoint was reached" : audited,
]

/** Between its marks in the document. */
export const renderTables = (
  sections: ReadonlyArray<Section>,
  lookup: Lookup,
  callers: ReadonlyArray<readonly [CallerFault, CallerSeen]>,
): string =>
  [
    ...sections.map((section) => renderSection(section, lookup)),
    `**Of callers**\n\n${table(
      ["the caller", "gets", "outcome in the audit"],
      callers.map(([fault, seen]) => callerRow(fault, seen)),
    )}`,
  ].join("\n\n")

const begin = "<!-- begin: npm run faults -->"
const end = "<!-- end: npm run faults -->"

const around = (document: string): readonly [before: string, after: string] => {
  const from = document.indexOf(begin)
  const to = document.indexOf(end)
  if (from < 0 || to < from) throw new Error(`the document has no ${begin} … ${end}`)
  return [document.slice(0, from + begin.length), document.slice(to)]
}

/** The document with these tables. */
export const withTables = (document: string, tables: string): string => {
  const [before, after] = around(document)
  return `${before}\n\n${tables}\n\n${after}`
}
