import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { faultInRule, type PassthroughRule, passedBy, passedMethods } from "../../src/routing/Passthrough.ts"
import { destinationOf, withQuery } from "../../src/upstream/calls/Destination.ts"
import { makeUpstream } from "../support/arbitraries.ts"
import { runs } from "../support/Runs.ts"

const upstream = makeUpstream({ baseUrl: "https://api.example/base/v1", query: "?api-version=1" })

const ruleOf = (path: string): PassthroughRule => ({
  path,
  upstream,
  methods: passedMethods,
})

const rules = [ruleOf("/v1/files"), ruleOf("/v1/files/shared"), ruleOf("/other")]

/** What is asked of the upstream, as a URL; `refused`, or nothing where no rule fits. */
const askedFor = (target: string): string | undefined => {
  const passed = passedBy(rules, target)
  if (passed?.kind !== "below") return passed?.kind
  const { origin, path } = destinationOf(upstream, passed.path)
  return origin + withQuery(path, passed.query)
}

const base = "https://api.example/base/v1"

describe("passedBy", () => {
  it.each([
    ["/v1/files", `${base}/files?api-version=1`],
    ["/v1/files/file-1/content", `${base}/files/file-1/content?api-version=1`],
    ["/v1/files?purpose=batch&after=a%2Fb", `${base}/files?api-version=1&purpose=batch&after=a%2Fb`],
    ["//v1///files//file-1", `${base}/files/file-1?api-version=1`],
    ["http://elsewhere.example/v1/files/a", `${base}/files/a?api-version=1`],
    ["/v1/%66iles/%61", `${base}/files/a?api-version=1`],
    ["/v1/files/a%20b%3Fc", `${base}/files/a%20b%3Fc?api-version=1`],
    ["/v1/files/", `${base}/files/?api-version=1`],
    ["/other/thing", "https://api.example/other/thing?api-version=1"],
    ["//other//thing", "https://api.example/other/thing?api-version=1"],
    ["/v1/files/...", `${base}/files/...?api-version=1`],
    ["/v1/files/%C3%A4..%3F%23", `${base}/files/%C3%A4..%3F%23?api-version=1`],
    ["/v1/files/a#b", `${base}/files/a?api-version=1`],
  ])("hands %s on", (target, asked) => {
    expect(askedFor(target)).toBe(asked)
  })

  it.each([
    "/v1/files/../models",
    "/v1/files/..",
    "/v1/files/./a",
    "/v1/files/%2e%2e/models",
    "/v1/files/.%2E/models",
    "/v1/files/%252e%252e/models",
    "/v1/files/%25252e%25252e/models",
    "/v1/files/..%2fmodels",
    "/v1/files/a%2fb",
    "/v1/files/a%5cb",
    "/v1/files/a\\..\\b",
    "/v1/files/..;/models",
    "/v1/files/..;a=b/models",
    "/v1/files/%2e%2e%3b/models",
    "/v1/files/a%00b",
    "/v1/files/a%0d%0ab",
    "/v1/files/a b",
    "/v1/files/%zz",
    "/v1/files/%",
    "/v1/files/ä",
    "/v1/files/a?b c",
    "/v1/files/%2525252525252e",
    // More bytes than UTF-8 has for a dot or a slash.
    "/v1/files/%c0%ae%c0%ae/models",
    "/v1/files/%e0%80%ae%e0%80%ae/models",
    "/v1/files/.%c0%2e/models",
    "/v1/files/..%c0%afmodels",
    "/v1/files/%25c0%25ae%25c0%25ae/models",
    "/v1/files/a%ff",
    // What ends a path, but for who escaped it.
    "/v1/files/..%3f",
    "/v1/files/..%3fa/models",
    "/v1/files/..%23/models",
    "/v1/files/%252e%252e%253f/models",
    // Dots and slashes of other scripts.
    "/v1/files/%EF%BC%8E%EF%BC%8E/models",
    "/v1/files/%E2%80%A5/models",
    "/v1/files/a%EF%BC%8Fb",
  ])("refuses %s", (target) => {
    expect(askedFor(target)).toBe("refused")
  })

  it.each([
    "/v1/filesystem",
    "/v1",
    "/",
    "",
    "/files",
    "/V1/files",
    "/v1%2ffiles",
    "/v1/x/../files",
    "*",
    "files",
  ])("has no rule for %s", (target) => {
    expect(askedFor(target)).toBeUndefined()
  })

  it("takes the closest of several rules", () => {
    expect(passedBy(rules, "/v1/files/shared/a")?.rule).toBe(rules[1])
    expect(passedBy(rules, "/v1/files/sharedness")?.rule).toBe(rules[0])
  })

  const piece = fc.oneof(
    fc.constantFrom(
      "/",
      "..",
      ".",
      "%2e",
      "%2f",
      "%252e",
      "%5c",
      "\\",
      ";",
      "?",
      "#",
      "@",
      ":",
      "//",
      "%",
      "a",
      "files",
      "v1",
    ),
    fc.string({ maxLength: 4 }),
    fc.string({ unit: "binary", maxLength: 3 }),
  )

  it("leads below the rule at its upstream whatever is asked, or is refused", () => {
    const target = fc
      .tuple(
        fc.constantFrom("/v1/files", "/v1/files/", "//v1/files/", "/v1/files?", "http://a/v1/files/", ""),
        fc.array(piece, { maxLength: 12 }),
      )
      .map(([start, pieces]) => start + pieces.join(""))
    fc.assert(
      fc.property(target, (asked) => {
        const url = askedFor(asked)
        if (url === undefined || url === "refused") return
        const { origin, pathname, searchParams } = new URL(url)
        expect(origin).toBe("https://api.example")
        expect(pathname === "/base/v1/files" || pathname.startsWith("/base/v1/files/")).toBe(true)
        expect(searchParams.get("api-version")).toBe("1")
        // Whoever unescapes it again is led nowhere else.
        let read = pathname
        for (let times = 0; times < 4; times++) {
          read = decodeURIComponent(
            read.replace(/%(?![0-9a-f]{2})/gi, "%25").replace(/%[89a-f][0-9a-f]/gi, "_"),
          )
          expect(
            new URL(`https://api.example${read.replaceAll("?", "_").replaceAll("#", "_")}`).pathname,
          ).toMatch(/^\/base\/v1\/files(?:\/|$)/)
        }
      }),
      { numRuns: runs(1_000) },
    )
  })
})

describe("faultInRule", () => {
  it.each(["/v1/files", "/v1/vector_stores", "/a/b.c~d"])("takes %s", (path) => {
    expect(faultInRule(path)).toBeUndefined()
  })
  it.each([
    ["", "start"],
    ["/", "end"],
    ["v1/files", "start"],
    ["/v1/files/", "end"],
    ["/v1//files", "signs"],
    ["/v1/../files", "dots"],
    ["/v1/./files", "dots"],
    ["/v1/%66iles", "signs"],
    ["/v1/files?a", "signs"],
    ["/v1/ä", "signs"],
  ])("does not take %s, for its %s", (path, fault) => {
    expect(faultInRule(path)).toBe(fault)
  })
})
