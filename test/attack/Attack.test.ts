/** The attack itself, for seconds: that it runs, meets the gateway with all it has, and reports. Whether the goals are met is for minutes of it to say. */
import { execFile } from "node:child_process"
import { describe, expect, it } from "vitest"
import { hostileConducts } from "../../attack/Plan.ts"

const run = (env: Readonly<Record<string, string>>) =>
  new Promise<{ readonly code: number; readonly output: string }>((resolve) => {
    execFile(
      process.execPath,
      ["dist/attack.js"],
      { env: { PATH: process.env["PATH"], ...env }, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    )
  })

describe("A short attack", () => {
  it("tries everything, and loses no row of an ordinary caller", async () => {
    // On a machine that runs other tests the wait says nothing.
    const { code, output } = await run({ ATTACK_SECONDS: "10", ATTACK_ADDED_MS: "60000" })
    const report = JSON.parse(/^\{\n[\s\S]*^\}$/m.exec(output)?.[0] ?? "{}")
    expect(report.rows).toMatchObject({ lost: 0, doubled: 0 })
    expect(report.rows.expected).toBeGreaterThan(0)
    const tried = Object.keys(report.tried)
    for (const what of ["heavy body", "packed body", "stranger", "wrong key", "absent reader", "idle"]) {
      expect(tried).toContain(what)
    }
    expect(tried.some((what) => hostileConducts.some((conduct) => what === `provider: ${conduct}`))).toBe(
      true,
    )
    expect(code).toBe(report.misses.length === 0 ? 0 : 1)
  }, 120_000)

  it("refuses settings that are no numbers", async () => {
    const { code, output } = await run({ ATTACK_SECONDS: "long" })
    expect([code, output.trim()]).toEqual([2, 'ATTACK_SECONDS must be a number above 0, not "long"'])
  })
})
