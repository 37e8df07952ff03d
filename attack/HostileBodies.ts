/** Bodies that are within the limit, and hard on who parses them: each costs more than it weighs. */
import { gzipSync } from "node:zlib"
import { goodModel } from "./Plan.ts"

const megabyte = 1024 * 1024
const around = (filling: string, end = ""): Buffer =>
  Buffer.from(`{"model":"${goodModel}","messages":[{"role":"user","content":"x"}],"x":${filling}${end}}`)
const many = (unit: string, bytes: number): string => unit.repeat(Math.floor(bytes / unit.length))

export const heavyBodies: ReadonlyArray<Buffer> = [100_000, megabyte, 7 * megabyte].flatMap((bytes) => [
  around(`[${many("{},", bytes)}{}]`),
  around(`[${many("[],", bytes)}[]]`),
  around(`[${many("0,", bytes)}0]`),
  around(`[${many('"",', bytes)}0]`),
  around(`[${many('{"a":0},', bytes)}0]`),
  around(`{${Array.from({ length: bytes / 12 }, (_, at) => `"k${at}":0,`).join("")}"z":0}`),
  around(many("[", bytes), many("]", bytes)),
  around(many('{"a":', bytes), `0${many("}", bytes)}`),
  around(many("[", bytes)),
  around(`"${many("\\u0000", bytes)}"`),
  around(`1${many("0", bytes)}`),
  around(`"${many("x", bytes)}`),
  Buffer.concat([around(`"${many("x", bytes)}`), Buffer.from([0xff, 0xc3]), Buffer.from('"}')]),
  Buffer.from(
    `{"model":"${goodModel}","messages":[${many('{"role":"user","content":"x"},', bytes)}{"role":"user","content":"x"}]}`,
  ),
  Buffer.from(`{${many(`"model":"${goodModel}",`, bytes)}"messages":[{"role":"user","content":"x"}]}`),
  Buffer.from(
    `{"model":"${goodModel}","Model":"other","MAX_TOKENS":100000,"messages":[],"Messages":[${many("0,", bytes)}0]}`,
  ),
])

/** And such that are small as long as they are packed. */
export const packedBodies: ReadonlyArray<Buffer> = [
  gzipSync(Buffer.alloc(200 * megabyte)),
  gzipSync(around(`[${many("{},", 7 * megabyte)}{}]`)),
  gzipSync(around(many("[", 7 * megabyte))),
  gzipSync(gzipSync(Buffer.alloc(50 * megabyte))),
]
