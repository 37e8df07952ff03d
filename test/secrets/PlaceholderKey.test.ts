/** Keys that are none are known, and keys are not taken for them. */
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { isPlaceholder } from "../../src/secrets/PlaceholderKey.ts"
import { madeUpBytes } from "../support/MadeUpBytes.ts"
import { runs } from "../support/Runs.ts"

describe("an access key", () => {
  it.each([
    "replace-me",
    "replace-me-too",
    "REPLACE_ME",
    "sk-replace-me",
    "replaceme2",
    "changeme",
    "change-me",
    "Change This",
    "please-change-me",
    "change_it_now",
    "fill-in",
    "your-key",
    "your-key-here",
    "sk-your-key-here",
    "your_access_key",
    "your-sluice-access-key",
    "YOUR_API_KEY_HERE",
    "your-secret-token",
    "put-your-key-here",
    "insert-key-here",
    "enter your access key",
    "key-goes-here",
    "api_key_here",
    "example-key",
    "an-example-access-key",
    "placeholder",
    "dummy-key",
    "todo",
    "undefined",
    "null",
    "xxxxxxxx",
    "sk-xxxx",
    "sk-1234",
    "***",
    "...",
    "<access key>",
    "<your-key>",
    "{{ACCESS_KEY}}",
    "[key]",
  ])("that an example has in its place is none: %s", (key) => {
    expect(isPlaceholder(key)).toBe(true)
  })

  it.each([
    "k",
    "key",
    "secret",
    "a-key",
    "team-key-1",
    "gateway-key",
    "an-access-key",
    "access-one",
    "addison-gateway-key",
    "setup-token",
    "changes-team",
    "replacement-42",
    "yourself",
    "exemplary",
    "settings-key",
  ])("that is short or plain is one all the same: %s", (key) => {
    expect(isPlaceholder(key)).toBe(false)
  })

  it("that is random is one, in whatever form (law)", () => {
    const forms = [
      (seed: number) => madeUpBytes(32, seed).toString("hex"),
      (seed: number) => madeUpBytes(32, seed).toString("base64url"),
      (seed: number) => `sk-${madeUpBytes(24, seed).toString("base64")}`,
    ]
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uuid(),
          fc.tuple(fc.constantFrom(...forms), fc.nat()).map(([make, seed]) => make(seed)),
        ),
        (key) => !isPlaceholder(key),
      ),
      { numRuns: runs(2000) },
    )
  })

  it("is looked at in a time that grows with its length (law)", () => {
    // Each would take for ever where patterns could be matched in many ways.
    for (const piece of ["your", "key", "here", "put", "<", "{{", "x", "change"]) {
      expect(isPlaceholder(`${piece.repeat(20_000)}!`)).toBe(false)
    }
  })
})
