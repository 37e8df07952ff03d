/** The soak itself, for seconds: that it runs, finds nothing, and would say so if it did. */
import { execFile } from "node:child_process"
import { describe, expect, it } from "vitest"
import { faultOf } from "../../soak/Callers.ts"

describe("What a caller of a soak complains of", () => {
  it("is nothing in answers as they may be", () => {
    for (const [status, type, body] of [
      [200, "application/json", '{"choices":[]}'],
      [503, "application/json", '{"error":{"message":"no"}}'],
      [200, "text/event-stream; charset=utf-8", 'data: {"choices":[]}\n\ndata: [DONE]\n\n'],
      [200, "text/event-stream", 'data: {"choices":[]}\n\ndata: {"error":{"message":"broke"}}\n\n'],
    ] as const) {
      expect(faultOf(status, type, body)).toBeUndefined()
    }
  })

  it("is a stream without an end, a page, an error that is none, and a good status with an error", () => {
    for (const [status, type, body] of [
      [200, "text/event-stream", 'data: {"choices":[]}\n\n'],
      [500, "text/event-stream", "data: [DONE]\n\n"],
      [200, "application/json", "<html>"],
      [502, "application/json", '{"choices":[]}'],
      [200, "application/json", '{"error":{"message":"no"}}'],
    ] as const) {
      expect(faultOf(status, type, body)).toBeDefined()
    }
  })
})

describe("A short soak", () => {
  it("leaks, loses, doubles and breaks nothing", async () => {
    const { code, output } = await new Promise<{ code: number; output: string }>((resolve) => {
      execFile(
        process.execPath,
        ["dist/soak.js"],
        { env: { PATH: process.env["PATH"], SOAK_SECONDS: "6", SOAK_CALLERS: "12" } },
        (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
      )
    })
    expect(output).toContain("nothing leaked, nothing was lost")
    expect(code).toBe(0)
  })

  it("refuses settings that are no numbers", async () => {
    const output = await new Promise<string>((resolve) => {
      execFile(
        process.execPath,
        ["dist/soak.js"],
        { env: { PATH: process.env["PATH"], SOAK_SECONDS: "long" } },
        (error, _, stderr) => resolve(`${error?.code} ${stderr.trim()}`),
      )
    })
    expect(output).toBe('2 SOAK_SECONDS must be a number, not "long"')
  })
})
