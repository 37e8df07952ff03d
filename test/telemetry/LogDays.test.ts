import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { dayOf, fileNameOf, isTooOld, type LogKind } from "../../src/telemetry/LogDays.ts"

const day = dayOf(Date.UTC(2026, 10, 28, 23, 59, 59, 999))

describe("The files of the log", () => {
  it("are called by the day of UTC, as GPT_API's were", () => {
    expect(fileNameOf("system", day)).toBe("system.2026-11-28.log")
    expect(fileNameOf("error", day + 1)).toBe("error.2026-11-29.log")
    expect(fileNameOf("info", dayOf(Date.UTC(2028, 1, 29)))).toBe("info.2028-02-29.log")
  })

  it("law: of so many days that many are kept, today included", () => {
    const days = fc.integer({ min: 1, max: 3_650 })
    const kinds = fc.constantFrom<LogKind>("info", "error", "system")
    fc.assert(
      fc.property(
        fc.integer({ min: 4_000, max: 60_000 }),
        days,
        fc.integer({ min: -9, max: 9 }),
        kinds,
        (today, kept, off, kind) => {
          expect(isTooOld(fileNameOf(kind, today - kept + off), today, kept)).toBe(off <= 0)
        },
      ),
    )
  })

  it.each([
    "system.2026-13-40.log",
    "system.2020-01-01.log.gz",
    "system.2020-01-01.txt",
    "my-system.2020-01-01.log",
    "access.2020-01-01.log",
    "system.20-01-01.log",
    "system.log",
    "record_202001.db",
    "",
  ])("are not what is called %j, however old", (name) => {
    expect(isTooOld(name, day, 1)).toBe(false)
  })
})
