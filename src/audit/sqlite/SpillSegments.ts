/** The files of a spill: segments this run appends to, and those it took over, from the oldest to the newest. */
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
import * as Either from "effect/Either"
import type { AuditFiles } from "../AuditUrl.ts"

export interface Segment {
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
const maxLinesAtOnce = 128
const newline = 0x0a

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

/** The first whole lines of some bytes, and where they end. What no line feed ends is no line. */
const linesOf = (bytes: Uint8Array): { readonly lines: ReadonlyArray<Uint8Array>; readonly end: number } => {
  const lines: Array<Uint8Array> = []
  let end = 0
  while (lines.length < maxLinesAtOnce) {
    const next = bytes.indexOf(newline, end)
    if (next === -1) break
    lines.push(bytes.subarray(end, next))
    end = next + 1
  }
  return { lines, end }
}

const finish = (segment: Segment): void => {
  const { descriptor } = segment
  segment.descriptor = undefined
  if (descriptor !== undefined) closeSync(descriptor)
}

const isThere = ({ descriptor, path }: Segment): boolean => {
  const found = statSync(path, { throwIfNoEntry: false })
  return found !== undefined && (descriptor === undefined || fstatSync(descriptor).ino === found.ino)
}

/** Appends all lines or none, and has them on disk when it returns. */
const write = (segment: Segment, descriptor: number, lines: Uint8Array): void => {
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
}

/** Mutable on purpose: it says what stands on the disk. Throws what Node's functions on files throw. */
export class SpillSegments {
  readonly #files: AuditFiles
  readonly #ownPrefix: string
  readonly #segments: Array<Segment> = []
  #created = 0
  #vanished = 0

  /** @param run names this process's segments; later runs have greater names */
  constructor(files: AuditFiles, run: string) {
    this.#files = files
    this.#ownPrefix = `${files.spillPrefix}${run}-`
  }

  /** Rows not yet drained. */
  get rows(): number {
    return this.#segments.reduce((sum, { rows }) => sum + rows, 0)
  }

  /** Rows whose file somebody removed before they could be drained. */
  get vanished(): number {
    return this.#vanished
  }

  append(lines: Uint8Array, rows: number): void {
    const segment =
      this.#lookAfter(this.#segments.findLast(({ descriptor }) => descriptor !== undefined)) ?? this.#begin()
    const { descriptor } = segment
    if (descriptor === undefined) return
    write(segment, descriptor, lines)
    if (!isThere(segment)) {
      // Moved or removed just now, by another gateway that drains what it takes for a leftover: these rows may have come too late.
      this.#lookAfter(segment)
      this.append(lines, rows)
      return
    }
    segment.rows += rows
    if (fstatSync(descriptor).size >= maxSegmentBytes) finish(segment)
  }

  /** A leftover gets a name of ours before it is read: whoever still appends to it sees that it is gone, and goes elsewhere. */
  adopt(): void {
    const left = readdirSync(this.#files.directory)
      .filter((name) => name.startsWith(this.#files.spillPrefix) && name.endsWith(".jsonl"))
      .filter((name) => !name.startsWith(this.#ownPrefix))
      .toSorted()
    for (const name of left) {
      const path = this.#nextPath()
      renameSync(join(this.#files.directory, name), path)
      this.#segments.push({ path, offset: 0, rows: countLines(path), descriptor: undefined })
    }
  }

  /** The next lines from the front, and where they end in their segment; `undefined` when none wait. */
  front():
    | { readonly segment: Segment; readonly end: number; readonly lines: ReadonlyArray<Uint8Array> }
    | undefined {
    while (this.#segments[0] !== undefined) {
      const segment = this.#lookAfter(this.#segments[0])
      if (segment === undefined) continue
      const { end, lines } = linesOf(readLines(segment.path, segment.offset))
      if (lines.length > 0) return { segment, end: segment.offset + end, lines }
      this.#remove(segment)
    }
    return undefined
  }

  /** Forgets so many rows of a segment, which end there. */
  drained(segment: Segment, end: number, rows: number): void {
    segment.offset = end
    segment.rows -= rows
    const size = statSync(segment.path, { throwIfNoEntry: false })?.size ?? 0
    if (end >= size) this.#remove(segment)
  }

  close(): void {
    for (const segment of this.#segments) finish(segment)
  }

  #nextPath(): string {
    const path = join(
      this.#files.directory,
      `${this.#ownPrefix}${String(this.#created).padStart(6, "0")}.jsonl`,
    )
    this.#created++
    return path
  }

  #begin(): Segment {
    mkdirSync(this.#files.directory, { recursive: true, mode: 0o700 })
    const path = this.#nextPath()
    const segment = { path, offset: 0, rows: 0, descriptor: openSync(path, "ax", 0o600) }
    this.#segments.push(segment)
    return segment
  }

  #forget(segment: Segment): void {
    const at = this.#segments.indexOf(segment)
    if (at !== -1) this.#segments.splice(at, 1)
    finish(segment)
  }

  /** A segment that somebody removed takes its rows with it. */
  #lookAfter(segment: Segment | undefined): Segment | undefined {
    if (segment === undefined || isThere(segment)) return segment
    this.#vanished += segment.rows
    this.#forget(segment)
    return undefined
  }

  #remove(segment: Segment): void {
    this.#forget(segment)
    rmSync(segment.path, { force: true })
  }
}
