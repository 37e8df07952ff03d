/** Answers of real model servers, as record.js wrote them. */
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Schema from "effect/Schema"
import type { Answer } from "../support/ScriptedUpstream.ts"

const Recording = Schema.Struct({
  path: Schema.String,
  /** What was asked; left out where it was long. */
  body: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.Unknown })),
  /** Instead of `body`. */
  stream: Schema.optional(Schema.Boolean),
  status: Schema.Number,
  type: Schema.String,
  /** The body as it came, read by read. */
  reads: Schema.Array(Schema.String),
})

export interface Recorded extends Schema.Schema.Type<typeof Recording> {
  readonly server: string
  readonly name: string
}

const decode = Schema.decodeUnknownSync(Schema.parseJson(Recording))

const folder = fileURLToPath(new URL(".", import.meta.url))

export const servers = ["llama.cpp", "vllm"] as const

/** All of a server, by name. */
export const recordingsOf = (server: (typeof servers)[number]): ReadonlyArray<Recorded> =>
  readdirSync(`${folder}${server}`).map((file) => ({
    server,
    name: file.replace(/\.json$/, ""),
    ...decode(readFileSync(`${folder}${server}/${file}`, "utf8")),
  }))

/** The recorded answer, given again in the same pieces. */
export const replay = ({ reads, status, type }: Recorded): Answer => ({
  give: ({ response }) => {
    response.writeHead(status, { "content-type": type })
    const give = (index: number): void => {
      const read = reads[index]
      if (read === undefined) response.end()
      else response.write(read, () => setImmediate(give, index + 1))
    }
    give(0)
  },
})

/** The data of each event, as text. */
export const dataOf = (reads: ReadonlyArray<string>): ReadonlyArray<string> =>
  reads
    .join("")
    .split("\n")
    .flatMap((line) => (line.startsWith("data: ") ? [line.slice("data: ".length)] : []))
