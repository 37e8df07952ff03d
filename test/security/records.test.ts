/**
 * What a hostile caller and provider leave behind, as the process people run writes it and the commands people run show it: no statement is run, no
 * terminal is spoken to, no line is forged, no key and no body is in the log at its most talkative, and no file is for other users' eyes.
 */
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { audit } from "../cli/audit/runAudit.ts"
import { configOf, configuredKey } from "../support/GatewayConfig.ts"
import { eventually } from "../support/Patience.ts"
import { addressOf, sluice } from "../support/process.ts"
import { post, request } from "../support/RawHttp.ts"
import { chat, models, scriptedUpstream } from "../support/ScriptedUpstream.ts"

const path = "/v1/chat/completions"
const accessKey = "sk-access-key-of-the-test"
const said = "a-sentence-that-only-bodies-have"

/** Models, ids and agents that callers may well send to see what happens. */
const hostileTexts: ReadonlyArray<string> = [
  "'; DROP TABLE requests; --",
  "' OR '1'='1",
  '" UNION SELECT key, 1 FROM sqlite_master --',
  "%' OR model LIKE '%",
  "$(touch /tmp/sluice-security-was-run)`id`",
  "\u001b[2J\u001b]0;owned\u0007",
  "\u009b2J\u0090q\u009c",
  'two\r\n{"level":"info","message":"forged"}',
  "12:00:00.000 INFO  request id=forged status=200",
  "right\u202eto left\u2066\u2069",
  "line\u2028paragraph\u2029",
  "=cmd|' /C calc'!A0",
  "m;=cmd|' /C calc'!A0",
  "\t=1+1",
  "nul\0inside",
  "<script>alert(1)</script>",
  "../../etc/passwd",
  "%00%0a%1b",
]

/** Controls other than what separates lines and columns, and what turns text round or ends a line unseen. */
const raw = /[\p{Cf}\p{Zl}\p{Zp}]|[^\P{Cc}\t\n]/u

describe("What is left of hostile requests", () => {
  it.scopedLive(
    "is in the audit as data, in the log without keys and bodies, and on a terminal as text",
    () =>
      Effect.gen(function* () {
        const upstream = yield* scriptedUpstream(({ method }) =>
          method === "GET" ? models(["gpt-4o", ...hostileTexts]) : chat(said),
        )
        const files = yield* FileSystem.FileSystem
        const folder = yield* files.makeTempDirectoryScoped()
        const configPath = join(folder, "config.yaml")
        yield* files.writeFileString(
          configPath,
          configOf(
            [
              {
                base_url: upstream.url,
                model_match: { type: "keyword", value: ["gpt", "e", "1", "0", "c", "S"] },
              },
            ],
            {
              server: { access_keys: [accessKey] },
            },
          ),
        )
        const logs = join(folder, "logs")
        yield* files.makeDirectory(logs, { mode: 0o755 })
        const database = join(logs, "record.db")
        const env = { CONFIG_PATH: configPath, AUDIT_URL: `sqlite:${database}` }
        const gateway = yield* sluice(["serve", "--port", "0"], { ...env, LOG_LEVEL: "trace" })
        const port = Number(new URL(yield* addressOf(gateway)).port)
        const authorization = `Bearer ${accessKey}`
        for (const text of hostileTexts) {
          const ascii = text.replace(/[^\x20-\x7e\x80-\xff]/g, "?")
          const headers = { authorization, "x-request-id": ascii, "user-agent": ascii }
          const body = { model: text, messages: [{ role: "user", content: said }] }
          const answer = yield* post(port, path, body, headers)
          expect([text, [200, 404].includes(answer?.status ?? 0)]).toEqual([text, true])
          expect(answer?.headers["x-request-id"]).toMatch(/^[\w.:-]{1,128}$/)
          yield* post(port, path, { ...body, stream: true }, { authorization })
          yield* request(port, "GET", `/v1/models/${encodeURIComponent(text)}`, { authorization })
          yield* request(port, "GET", `/${encodeURIComponent(text)}`, { authorization })
        }
        yield* post(port, path, `{"model":"gpt-4o","messages":"${said}"`, { authorization })
        yield* post(port, path, { model: "gpt-4o", messages: [] }, { authorization: `Bearer wrong-${said}` })
        const rows = 3 * hostileTexts.length + 2

        const command = (...args: ReadonlyArray<string>) => audit([...args, "--db", database])
        const modelsIn = (out: string): ReadonlyArray<string | null> =>
          out.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line).model]))
        const listed = yield* eventually(
          "the rows",
          command("list", "--json", "-n", "1000"),
          ({ out }) => modelsIn(out).length >= rows,
          20_000,
        )
        expect(modelsIn(listed.out).length).toBe(rows)
        // Every name is there as it was said, so none of them did anything.
        const names = new Set(modelsIn(listed.out))
        for (const text of hostileTexts) expect(names).toContain(text)

        const [anId] = /(?<="id":")[^"]+/.exec(listed.out) ?? []
        for (const args of [
          ["list", "-n", "1000"],
          ["list", "--wide", "-n", "1000"],
          ["stats", "--by", "model"],
          ["stats", "--by", "model", "--json"],
          ["export", "--json"],
          ["show", anId ?? ""],
        ]) {
          const { code, err, out } = yield* command(...args)
          expect([args, code, err]).toEqual([args, 0, ""])
          expect([args, raw.exec(out)]).toEqual([args, null])
          expect(out).not.toContain(accessKey)
          expect(out).not.toContain(configuredKey)
        }
        for (const text of hostileTexts) {
          // As an option it is a value, and asks for the rows that have it and no others.
          const { code, out } = yield* command("list", "--json", "-n", "1000", `--model=${text}`)
          expect([text, code, new Set(modelsIn(out))]).toEqual([text, 0, new Set([text])])
          expect([text, (yield* command("show", "--json", text)).code]).toEqual([text, 1])
        }

        for (const name of readdirSync(logs)) {
          expect([name, (statSync(join(logs, name)).mode & 0o077).toString(8)]).toEqual([name, "0"])
        }
        yield* gateway.signal("SIGTERM")
        const { code, stderr, stdout } = yield* gateway.exited
        expect([code, stderr]).toEqual([0, ""])
        for (const line of stdout.split("\n")) {
          const parsed = JSON.parse(line)
          expect(parsed.message).not.toBe("forged")
        }
        expect(stdout).not.toContain(said)
        expect(stdout).not.toContain(accessKey)
        expect(stdout).not.toContain(configuredKey)
      }).pipe(Effect.provide(NodeContext.layer)),
    90_000,
  )
})
