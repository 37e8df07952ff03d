import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type MonthState, nextStep, type RotationStep } from "../../../src/audit/sqlite/Rotation.ts"

/** Files as sets of rows: what the steps do to them, without a database. */
interface Files {
  readonly live: ReadonlyArray<string> | undefined
  readonly switchedOff: ReadonlyArray<string> | undefined
  readonly partial:
    | { readonly rows: ReadonlyArray<string>; readonly sealed: boolean; readonly fits: boolean }
    | undefined
  readonly archive: ReadonlyArray<string> | undefined
}

const perStep = 2

const observed = (files: Files, merged: number): MonthState => ({
  live: files.live?.length,
  switchedOff: files.switchedOff !== undefined,
  partial:
    files.partial === undefined
      ? undefined
      : {
          last: files.partial.rows.length,
          sealed: files.partial.sealed,
          fits: files.partial.fits,
        },
  archived: files.archive !== undefined,
  merged,
})

const taken = (files: Files, step: RotationStep, merged: number): readonly [Files, number] => {
  const { archive, live = [], partial, switchedOff = [] } = files
  switch (step) {
    case "copy": {
      const rows = partial?.rows ?? []
      return [
        { ...files, partial: { rows: live.slice(0, rows.length + perStep), sealed: false, fits: true } },
        0,
      ]
    }
    case "seal":
      return [{ ...files, partial: { rows: partial?.rows ?? [], sealed: true, fits: true } }, 0]
    case "publish":
      return [{ ...files, archive: partial?.rows, partial: undefined }, partial?.rows.length ?? 0]
    case "merge": {
      const some = live.slice(merged, merged + perStep)
      return [{ ...files, archive: [...new Set([...(archive ?? []), ...some])] }, merged + some.length]
    }
    case "switch":
      return [{ ...files, live: undefined, switchedOff: live }, merged]
    case "clear":
      return [{ ...files, switchedOff: switchedOff.length === 0 ? undefined : switchedOff.slice(perStep) }, 0]
    case "discard":
      return [{ ...files, partial: undefined }, merged]
  }
}

/** What a reader counts: live rows, and the archive's that are not among them. */
const read = ({ archive = [], live = [] }: Files): ReadonlyArray<string> => [
  ...live,
  ...archive.filter((row) => !live.includes(row)),
]

/** What happens beside a step: nothing, a kill, or a row of a request that outlasted its month. */
type Event = "step" | "crash" | "row"

const play = (start: Files, events: ReadonlyArray<Event>) => {
  let files = start
  let merged = 0
  let rows = 0
  const steps: Array<RotationStep> = []
  const advance = (): boolean => {
    const step = nextStep(observed(files, merged))
    if (step === undefined) return false
    steps.push(step)
    ;[files, merged] = taken(files, step, merged)
    return true
  }
  const seen: Array<readonly [ReadonlyArray<string>, number]> = []
  for (const event of events) {
    if (event === "step") advance()
    else if (event === "crash") merged = 0
    else {
      files = { ...files, live: [...(files.live ?? []), `late${rows}`] }
      rows++
    }
    seen.push([read(files), rows])
  }
  let guard = 0
  while (advance()) {
    guard++
    if (guard > 1000) throw new Error("the rotation does not end")
  }
  return { files, steps, seen, rows }
}

const live = (count: number): Files => ({
  live: Array.from({ length: count }, (_, at) => `row${at}`),
  switchedOff: undefined,
  partial: undefined,
  archive: undefined,
})

describe("the rotation of a month", () => {
  it("copies, seals, publishes, switches and clears", () => {
    expect(play(live(3), []).steps).toEqual([
      "copy",
      "copy",
      "seal",
      "publish",
      "switch",
      "clear",
      "clear",
      "clear",
    ])
  })

  it("has nothing to do where no table and no leftover stands", () => {
    expect(nextStep(observed({ ...live(0), live: undefined }, 0))).toBeUndefined()
    expect(nextStep(observed({ ...live(0), live: undefined, archive: [] }, 0))).toBeUndefined()
  })

  it("leaves no archive of a month without requests", () => {
    expect(play(live(0), []).steps).toEqual(["switch", "clear"])
    expect(play(live(0), []).files.archive).toBeUndefined()
  })

  it("throws a half-made file away when its month is already archived or gone", () => {
    const partial = { rows: ["row0"], sealed: false, fits: true }
    expect(nextStep(observed({ ...live(0), live: undefined, partial }, 0))).toBe("discard")
    expect(nextStep(observed({ ...live(1), partial, archive: [] }, 0))).toBe("discard")
  })

  it("begins anew where another release had begun, sealed or not", () => {
    for (const sealed of [false, true]) {
      const partial = { rows: ["row0", "row1"], sealed, fits: false }
      expect(play({ ...live(3), partial }, []).steps.slice(0, 5)).toEqual([
        "discard",
        "copy",
        "copy",
        "seal",
        "publish",
      ])
    }
  })

  it("law: however kills and late rows fall between steps, it ends with every row in the archive once", () => {
    const events = fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.constant<Event>("step") },
        { weight: 1, arbitrary: fc.constant<Event>("crash") },
        { weight: 1, arbitrary: fc.constant<Event>("row") },
      ),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), events, (count, happening) => {
        const { files, rows, seen } = play(live(count), happening)
        expect(files.live).toBeUndefined()
        expect(files.switchedOff).toBeUndefined()
        expect(files.partial).toBeUndefined()
        expect(files.archive ?? []).toHaveLength(count + rows)
        expect(new Set(files.archive).size).toBe(count + rows)
        for (const [visible, late] of seen) {
          expect(visible).toHaveLength(count + late)
          expect(new Set(visible).size).toBe(count + late)
        }
      }),
    )
  })
})
