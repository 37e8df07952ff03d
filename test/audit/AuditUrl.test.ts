import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { auditFiles, parseAuditUrl } from "../../src/audit/AuditUrl.ts"

describe("AUDIT_URL", () => {
  it.each([
    ["sqlite:./logs/record.db", "./logs/record.db"],
    ["sqlite:///var/lib/record.db", "/var/lib/record.db"],
    ["sqlite:/var/lib/record.db", "/var/lib/record.db"],
    ["sqlite://logs/record.db", "logs/record.db"],
    ["SQLite:record.db", "record.db"],
    ["sqlite:./record.db?mode=rwc", "./record.db"],
    ["sqlite:a%20b.db", "a b.db"],
    ["./logs/record.db", "./logs/record.db"],
    ["/abs/100%.db", "/abs/100%.db"],
    ["record.db", "record.db"],
  ])("%s is the file %s", (url, path) => {
    expect(parseAuditUrl(url)).toEqual(Either.right(path))
  })

  it.each([
    ["postgres://localhost/audit", "postgres is not a database"],
    ["mysql:audit", "mysql is not a database"],
    ["file:./record.db", "file is not a database"],
    ["sqlite:", "names no file"],
    ["sqlite::memory:", "names no file"],
    ["", "names no file"],
    ["logs/", "names no file"],
    ["sqlite:record.db?cache=shared", "mode=rwc"],
    ["sqlite:~/record.db", "home directory"],
    ["~/record.db", "home directory"],
    ["hunter2:record.db", "names no database"],
  ])("%s is an error that names the variable and says what would be right", (url, problem) => {
    const parsed = parseAuditUrl(url)
    const said = Either.isLeft(parsed) ? parsed.left : ""
    expect(said).toContain("AUDIT_URL")
    expect(said).toContain(problem)
    expect(said).toContain("sqlite:./logs/record.db")
  })

  it.each(["sqlite:x.db?key=hunter2", "hunter2:x", "postgres://me:hunter2@host/x", "sqlite:hunter2/"])(
    "does not repeat %s, which may hold a secret",
    (url) => {
      expect(JSON.stringify(parseAuditUrl(url))).not.toContain("hunter2")
    },
  )

  it("names the other files after the database", () => {
    expect(auditFiles("logs/record.db")).toEqual({
      directory: "logs",
      name: "record.db",
      database: "logs/record.db",
      secret: "logs/record.secret",
      lock: "logs/record.lock",
      spillPrefix: "record.spill-",
    })
    expect(auditFiles("audit").secret).toBe("audit.secret")
  })
})
