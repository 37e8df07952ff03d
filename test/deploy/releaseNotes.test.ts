import { describe, expect, it } from "@effect/vitest"
import { notesOf } from "../../scripts/releaseNotes.js"

const changelog = `# Changelog

## [Unreleased]

- soon

## [0.2.0] - 2026-12-01

### Added

- two

## [0.1.0] - 2026-11-26

- one
`

describe("The notes of a release", () => {
  it("are what the changelog says under its version", () => {
    expect(notesOf(changelog, "0.2.0")).toBe("### Added\n\n- two")
    expect(notesOf(changelog, "0.1.0")).toBe("- one")
  })

  it("are none where it says nothing", () => {
    expect(notesOf(changelog, "0.3.0")).toBeUndefined()
    expect(notesOf("## [0.1.0]\n", "0.1.0")).toBeUndefined()
  })
})
