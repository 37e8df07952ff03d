/** A picture of a page made small: 256 of its colours, packed as far as zlib goes, which browsers do not take the time for. */
import { crc32, deflateSync, inflateSync } from "node:zlib"

const signature = Buffer.from("89504e470d0a1a0a", "hex")

interface Chunk {
  readonly type: string
  readonly data: Buffer
}

const chunksOf = (png: Buffer): ReadonlyArray<Chunk> => {
  const chunks: Array<Chunk> = []
  for (let at = signature.length; at < png.length; ) {
    const length = png.readUInt32BE(at)
    chunks.push({ type: png.toString("latin1", at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) })
    at += 12 + length
  }
  return chunks
}

const chunk = (type: string, data: Buffer): Buffer => {
  const typed = Buffer.concat([Buffer.from(type, "latin1"), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(typed))
  return Buffer.concat([length, typed, sum])
}

const paeth = (left: number, up: number, corner: number): number => {
  const guess = left + up - corner
  const [toLeft, toUp, toCorner] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)]
  return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner
}

/** What a filter guessed of a byte from those around it (PNG §9.2). */
const guessed = (filter: number, left: number, up: number, corner: number): number => {
  switch (filter) {
    case 1:
      return left
    case 2:
      return up
    case 3:
      return (left + up) >> 1
    case 4:
      return paeth(left, up, corner)
    default:
      return 0
  }
}

const rgb = 3

/** The bytes of an RGB picture without its filters, row by row. */
const unfiltered = (rows: Buffer, stride: number): Buffer => {
  const height = rows.length / (stride + 1)
  const plain = Buffer.alloc(height * stride)
  const at = (y: number, x: number) => (y < 0 || x < 0 ? 0 : (plain[y * stride + x] ?? 0))
  for (let y = 0; y < height; y += 1) {
    const filter = rows[y * (stride + 1)] ?? 0
    for (let x = 0; x < stride; x += 1) {
      const guess = guessed(filter, at(y, x - rgb), at(y - 1, x), x < rgb ? 0 : at(y - 1, x - rgb))
      plain[y * stride + x] = ((rows[y * (stride + 1) + 1 + x] ?? 0) + guess) & 0xff
    }
  }
  return plain
}

const colourAt = (plain: Buffer, pixel: number): number => plain.readUIntBE(pixel * rgb, rgb)

const distance = (one: number, other: number): number =>
  [16, 8, 0].reduce((sum, shift) => sum + (((one >> shift) & 0xff) - ((other >> shift) & 0xff)) ** 2, 0)

/**
 * Colours that stand for all: the most frequent ones, then always the one that is worst stood for, so that a few red letters stay red.
 *
 * @param ranked the most frequent first
 */
const paletteOf = (ranked: ReadonlyArray<number>): ReadonlyArray<number> => {
  const palette = ranked.slice(0, 96)
  const away = ranked.map((colour) => Math.min(...palette.map((one) => distance(colour, one))))
  while (palette.length < Math.min(256, ranked.length)) {
    const worst = ranked[away.indexOf(Math.max(...away))] ?? 0
    palette.push(worst)
    for (const [index, colour] of ranked.entries()) {
      away[index] = Math.min(away[index] ?? 0, distance(colour, worst))
    }
  }
  return palette
}

/** The same picture, smaller. */
export const smaller = (png: Buffer): Buffer => {
  const chunks = chunksOf(png)
  const head = chunks.find(({ type }) => type === "IHDR")?.data
  if (head === undefined || head[9] !== 2) throw new Error("only RGB pictures are made smaller")
  const width = head.readUInt32BE(0)
  const packed = Buffer.concat(chunks.flatMap(({ data, type }) => (type === "IDAT" ? [data] : [])))
  const plain = unfiltered(inflateSync(packed), width * rgb)
  const pixels = plain.length / rgb
  const counts = new Map<number, number>()
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    const colour = colourAt(plain, pixel)
    counts.set(colour, (counts.get(colour) ?? 0) + 1)
  }
  const palette = paletteOf(
    [...counts.keys()].sort((one, other) => (counts.get(other) ?? 0) - (counts.get(one) ?? 0)),
  )
  const nearest = new Map(
    [...counts.keys()].map((colour) => {
      const away = palette.map((one) => distance(colour, one))
      return [colour, away.indexOf(Math.min(...away))]
    }),
  )
  const rows = Buffer.alloc(pixels + pixels / width)
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    rows[pixel + Math.floor(pixel / width) + 1] = nearest.get(colourAt(plain, pixel)) ?? 0
  }
  const indexed = Buffer.from(head)
  indexed[9] = 3
  const table = Buffer.alloc(palette.length * rgb)
  for (const [index, colour] of palette.entries()) table.writeUIntBE(colour, index * rgb, rgb)
  return Buffer.concat([
    signature,
    chunk("IHDR", indexed),
    chunk("PLTE", table),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ])
}
