/**
 * Where rows wait that the database cannot take: files of JSON lines beside it, a row a line, appended to and read from the front.
 *
 * A process appends to segments of its own, named after its run, and removes each once its rows are in the database. Segments
 * another run left are drained by whoever holds the audit's lock. A line that a crash cut off is passed over: its row was never
 * reported as kept. Rows carry their key, so reading a segment again from its start does no harm.
 */
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import { isJsonObject } from "../../wire/Json.ts"
import type { AuditFiles } from "../AuditUrl.ts"
import { attempting, type DatabaseFault } from "./DatabaseFault.ts"
import { byColumn, fromColumns, type RowValues } from "./Rows.ts"

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

interface Segment {
  readonly path: string
  /** Where the first line stands that was not drained. */
  offset: number
  /** Rows not yet drained. */
  rows: number
  /** Open for appending; the last segment of this run only. */
  descriptor: number | undefined
}

/** A segment of this size is not appended to any more, so that drained space is given back as draining goes on. */
const maxSegmentBytes = 16 * 1024 * 1024

const readBytes = 512 * 1024
const maxRowsPerPeek = 128
const newline = 0x0a

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

const writeAll = (descriptor: number, bytes: Uint8Array): void => {
  let at = 0
  while (at < bytes.byteLength) at += writeSync(descriptor, bytes, at)
}

/** Reads at least one whole line from `offset`, or all there is; `bytes` ends where it ends. */
const readLines = (path: string, offset: number): Uint8Array => {
  const descriptor = openSync(path, "r")
  try {
    for (let size = readBytes; ; size *= 2) {
      const bytes = Buffer.allocUnsafe(size)
      const count = readSync(descriptor, bytes, 0, size, offset)
      const read = bytes.subarray(0, count)
      if (count < size || read.includes(newline)) return read
    }
  } finally {
    closeSync(descriptor)
  }
}

const countLines = (path: string): number => {
  const descriptor = openSync(path, "r")
  try {
    const bytes = Buffer.allocUnsafe(readBytes)
    let lines = 0
    for (;;) {
      const count = readSync(descriptor, bytes, 0, readBytes, null)
      if (count === 0) return lines
      for (let at = bytes.indexOf(newline); at !== -1 && at < count; at = bytes.indexOf(newline, at + 1))
        lines++
    }
  } finally {
    closeSync(descriptor)
  }
}

/**
 * The spill of an audit.
 *
 * @param run names this process's segments; later runs have greater names
 */
export const makeSpill = (files: AuditFiles, run: string): Spill => {
  const segments: Array<Segment> = []
  let created = 0
  let vanished = 0
  let peeked: { readonly segment: Segment; readonly end: number; readonly rows: number } | undefined

  const ownPrefix = `${files.spillPrefix}${run}-`

  const finish = (segment: Segment): void => {
    if (segment.descriptor === undefined) return
    const descriptor = segment.descriptor
    segment.descriptor = undefined
    closeSync(descriptor)
  }

  const forget = (segment: Segment): void => {
    const at = segments.indexOf(segment)
    if (at !== -1) segments.splice(at, 1)
    finish(segment)
  }

  const isThere = ({ descriptor, path }: Segment): boolean => {
    const found = statSync(path, { throwIfNoEntry: false })
    return found !== undefined && (descriptor === undefined || fstatSync(descriptor).ino === found.ino)
  }

  /** A segment that somebody removed takes its rows with it. */
  const lookAfter = (segment: Segment | undefined): Segment | undefined => {
    if (segment === undefined || isThere(segment)) return segment
    vanished += segment.rows
    forget(segment)
    return undefined
  }

  const nextPath = (): string => {
    const path = join(files.directory, `${ownPrefix}${String(created).padStart(6, "0")}.jsonl`)
    created++
    return path
  }

  const begin = (): Segment => {
    mkdirSync(files.directory, { recursive: true, mode: 0o700 })
    const path = nextPath()
    const segment = { path, offset: 0, rows: 0, descriptor: openSync(path, "ax", 0o600) }
    segments.push(segment)
    return segment
  }

  const append = (rows: ReadonlyArray<RowValues>): void => {
    const lines = encoder.encode(rows.map((row) => `${JSON.stringify(byColumn(row))}\n`).join(""))
    const last = lookAfter(segments.findLast((one) => one.descriptor !== undefined))
    const segment = last ?? begin()
    const descriptor = segment.descriptor
    if (descriptor === undefined) return
    const before = fstatSync(descriptor).size
    try {
      writeAll(descriptor, lines)
      fdatasyncSync(descriptor)
    } catch (error) {
      // Half a line would spoil the next; where it cannot be taken back, nothing more is appended to this segment.
      Either.mapLeft(
        Either.try(() => ftruncateSync(descriptor, before)),
        () => finish(segment),
      )
      throw error
    }
    if (!isThere(segment)) {
      // Moved or removed just now, by another gateway that drains what it takes for a leftover: these rows may have come too late.
      lookAfter(segment)
      append(rows)
      return
    }
    segment.rows += rows.length
    if (before + lines.byteLength >= maxSegmentBytes) finish(segment)
  }

  /** A leftover gets a name of ours before it is read: whoever still appends to it sees that it is gone, and goes elsewhere. */
  const adopt = (): void => {
    const left = readdirSync(files.directory)
      .filter((name) => name.startsWith(files.spillPrefix) && name.endsWith(".jsonl"))
      .filter((name) => !name.startsWith(ownPrefix))
      .toSorted()
    for (const name of left) {
      const path = nextPath()
      renameSync(join(files.directory, name), path)
      segments.push({ path, offset: 0, rows: countLines(path), descriptor: undefined })
    }
  }

  const remove = (segment: Segment): void => {
    forget(segment)
    rmSync(segment.path, { force: true })
  }

  const peek = (): SpilledRows | undefined => {
    while (segments[0] !== undefined) {
      const segment = lookAfter(segments[0])
      if (segment === undefined) continue
      const found = linesOf(readLines(segment.path, segment.offset))
      if (found.lines.length === 0) {
        remove(segment)
        continue
      }
      const rows = found.lines.map(readRow).filter(Predicate.isNotUndefined)
      peeked = { segment, end: segment.offset + found.end, rows: found.lines.length }
      return { rows, unreadable: found.lines.length - rows.length }
    }
    return undefined
  }

  const advance = (): void => {
    if (peeked === undefined) return
    const { end, rows, segment } = peeked
    peeked = undefined
    segment.offset = end
    segment.rows -= rows
    const size = statSync(segment.path, { throwIfNoEntry: false })?.size ?? 0
    if (end >= size) remove(segment)
  }

  return {
    append: (rows) => attempting(() => append(rows)),
    waiting: () => segments.reduce((sum, { rows }) => sum + rows, 0),
    adopt: attempting(adopt),
    peek: attempting(peek),
    advance: attempting(advance),
    vanished: () => vanished,
    close: Effect.sync(() => {
      for (const segment of segments) finish(segment)
    }),
  }
}

/** The first whole lines of some bytes, and where they end. What no line feed ends is no line. */
const linesOf = (bytes: Uint8Array): { readonly lines: ReadonlyArray<Uint8Array>; readonly end: number } => {
  const lines: Array<Uint8Array> = []
  let end = 0
  while (lines.length < maxRowsPerPeek) {
    const next = bytes.indexOf(newline, end)
    if (next === -1) break
    lines.push(bytes.subarray(end, next))
    end = next + 1
  }
  return { lines, end }
}
