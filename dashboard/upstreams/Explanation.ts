/** What `sluice explain --json` says, as far as it is shown. The API hands it on as it is, so each member is looked at. */
import { type Loose, objectOf, objectsOf, textOf } from "../conversation/Loose.ts"

export interface ExplainedTarget {
  readonly client: string
  readonly share: number | undefined
  readonly why: string
  readonly sends: string
  readonly dialect: string
}

export interface ExplainedGroup {
  readonly label: string
  /** What leads here; empty for those that are asked first. */
  readonly after: string
  readonly targets: ReadonlyArray<ExplainedTarget>
}

export interface Explanation {
  readonly strategy: string
  readonly groups: ReadonlyArray<ExplainedGroup>
  /** Clients that would be asked if they spoke the dialect. */
  readonly leftOut: ReadonlyArray<string>
}

const shareOf = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined)

const targetOf = (target: Loose): ExplainedTarget => ({
  client: textOf(target["client"]),
  share: shareOf(target["share"]),
  why: textOf(target["why"]),
  sends: textOf(target["sends"]),
  dialect: textOf(target["dialect"]),
})

const groupOf = (group: Loose): ExplainedGroup => {
  const fallback = objectOf(group["fallback"])
  const name = textOf(fallback["name"])
  return {
    label: textOf(group["label"]),
    after: name === "" ? "" : `fallback ${textOf(fallback["names"])} ${name}`,
    targets: objectsOf(group["targets"]).map(targetOf),
  }
}

export const explanationOf = (value: unknown): Explanation => {
  const said = objectOf(value)
  return {
    strategy: textOf(said["strategy"]),
    groups: objectsOf(said["groups"]).map(groupOf),
    leftOut: objectsOf(said["left_out"]).map((one) => textOf(one["client"])),
  }
}
