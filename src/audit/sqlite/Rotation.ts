/**
 * How a finished month moves from the live database into its archive: the steps, and which one is next.
 *
 * Every step can be repeated, and what is next follows from what stands in the files, so that a kill between any two steps, or
 * within one, costs nothing but its work:
 *
 * 1. `copy`: rows go, some at a time, into a file that is no archive yet (`record_202610.db.partial`);
 * 2. `seal`: once all are there it gets its indexes and views, and rows are counted against the live table's;
 * 3. `publish`: it gets the archive's name. From here to step 5 the month stands in both files;
 * 4. `merge`: rows that are in the live table and not in the archive go there: those of requests that began before midnight and
 *    ended after the archive was sealed, or after it was published long ago;
 * 5. `switch`: in one transaction the live table leaves the views and takes another name, if no row came since;
 * 6. `clear`: what stands under that name is deleted, some rows at a time, so that writers wait for none of it.
 */

/** What stands in the files of one finished month. */
export interface MonthState {
  /** The last `seq` of the live table; `undefined` where there is no such table, 0 where it is empty. */
  readonly live: number | undefined
  /** A table was switched off and not yet cleared. */
  readonly switchedOff: boolean
  /** The file that is no archive yet; `fits` where its layout is that of the live table, and no other release began it. */
  readonly partial: { readonly last: number; readonly sealed: boolean; readonly fits: boolean } | undefined
  readonly archived: boolean
  /** The last `seq` of the live table that is known to be in the archive. What an earlier run knew is forgotten. */
  readonly merged: number
}

export type RotationStep = "copy" | "seal" | "publish" | "merge" | "switch" | "clear" | "discard"

/** The step to take next, or `undefined` when the month has moved. */
export const nextStep = (state: MonthState): RotationStep | undefined => {
  if (state.switchedOff) return "clear"
  if (state.live === undefined) return state.partial === undefined ? undefined : "discard"
  if (state.archived) {
    if (state.partial !== undefined) return "discard"
    return state.merged < state.live ? "merge" : "switch"
  }
  // A month without requests leaves no archive.
  if (state.partial === undefined) return state.live === 0 ? "switch" : "copy"
  // It holds nothing that the live table does not hold, and would lack what an older layout lacks.
  if (!state.partial.fits) return "discard"
  if (state.partial.sealed) return "publish"
  return state.partial.last < state.live ? "copy" : "seal"
}
