/**
 * Where rows wait that the database cannot take: files of JSON lines beside it, a row a line, appended to and read from the front.
 *
 * A process appends to segments of its own, named after its run, and removes each once its rows are in the database. Segments
 * another run left are drained by whoever holds the audit's lock. A line that a crash cut off is passed over: its row was never
 * reported as kept. Rows carry their key, so reading a segment again from its start does no harm.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import { isJsonObject } from "../../wire/Json.ts"
import type { AuditFiles } from "../AuditUrl.ts"
import { attempting, type DatabaseFault } from "./DatabaseFault.ts"
import { byColumn, fromColumns, type RowValues } from "./Rows.ts"
import { type Segment, SpillSegments } from "./SpillSegments.ts"

/** Some rows from the front. */
export interface SpilledRows {
  readonly rows: ReadonlyArray<RowValues>
  /** Lines that are no rows. */
  readonly unreadable: number
}

export interface Spill {
  /** Appends all rows or none, and has them on disk when it succeeds. */
  readonly append: (rows: ReadonlyArray<RowValues>) => Effect.Effect<void, DatabaseFault>
  /** Rows that wait, as far as this run has looked. */
  readonly waiting: () => number
  /** Takes over the segments other runs left. */
  readonly adopt: Effect.Effect<void, DatabaseFault>
  /** The next rows from the front, `undefined` when none wait. */
  readonly peek: Effect.Effect<SpilledRows | undefined, DatabaseFault>
  /** Forgets what was last peeked. */
  readonly advance: Effect.Effect<void, DatabaseFault>
  /** Rows whose file somebody removed before they could be drained. */
  readonly vanished: () => number
  readonly close: Effect.Effect<void>
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The row a line spells, if it does: names and types are looked at, for anybody might have written to the file, an older release too. */
const readRow = (line: Uint8Array): RowValues | undefined => {
  const parsed = Either.try((): unknown => JSON.parse(decoder.decode(line)))
  if (Either.isLeft(parsed) || !isJsonObject(parsed.right)) return undefined
  const { record_key, started_at } = parsed.right
  if (typeof record_key !== "string" || typeof started_at !== "string") return undefined
  if (!/^\d{4}-\d{2}-\d{2}T/.test(started_at)) return undefined
  return fromColumns(parsed.right)
}

/**
 * The spill of an audit.
 *
 * @param run names this process's segments; later runs have greater names
 */
export const makeSpill = (files: AuditFiles, run: string): Spill => {
  const segments = new SpillSegments(files, run)
  let peeked: { readonly segment: Segment; readonly end: number; readonly rows: number } | undefined

  const append = (rows: ReadonlyArray<RowValues>): void => {
    const lines = rows.map((row) => `${JSON.stringify(byColumn(row))}\n`).join("")
    segments.append(encoder.encode(lines), rows.length)
  }

  const peek = (): SpilledRows | undefined => {
    const front = segments.front()
    if (front === undefined) return undefined
    const { end, lines, segment } = front
    const rows = lines.map(readRow).filter(Predicate.isNotUndefined)
    peeked = { segment, end, rows: lines.length }
    return { rows, unreadable: lines.length - rows.length }
  }

  const advance = (): void => {
    if (peeked === undefined) return
    const { end, rows, segment } = peeked
    peeked = undefined
    segments.drained(segment, end, rows)
  }

  return {
    append: (rows) => attempting(() => append(rows)),
    waiting: () => segments.rows,
    adopt: attempting(() => segments.adopt()),
    peek: attempting(peek),
    advance: attempting(advance),
    vanished: () => segments.vanished,
    close: Effect.sync(() => segments.close()),
  }
}
