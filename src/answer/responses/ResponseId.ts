/**
 * Ids of responses that name the upstream which made them, so that whatever is asked of one later is asked there. An id that is given out ends in a
 * digest of the upstream's name and of the id itself: it tells nothing, needs no memory, and no other id of the same upstream has it.
 */
import { markLength, markOf } from "../../routing/Mark.ts"

const markedForm = new RegExp(`^(.+)_s([\\w-]{${markLength}})$`, "s")

/** Longer ids are no upstream's; they pass as they are. */
const longestId = 512

/** The id as it is given out. */
export const givenId = (id: string, upstream: string): string =>
  id === "" || id.length > longestId ? id : `${id}_s${markOf(id, upstream)}`

/** The id as the upstream gave it; `undefined` where it did not. */
export const ownId = (given: string, upstream: string): string | undefined => {
  const [, id, mark] = markedForm.exec(given.slice(0, 2 * longestId)) ?? []
  // Dots alone would lead to another path.
  return id !== undefined && !/^\.+$/.test(id) && mark === markOf(id, upstream) ? id : undefined
}

/** The upstream that made the response of this id; `undefined` where none of these did. */
export const makerOf = <U extends { readonly name: string }>(
  given: string,
  upstreams: ReadonlyArray<U>,
): U | undefined => upstreams.find(({ name }) => ownId(given, name) !== undefined)
