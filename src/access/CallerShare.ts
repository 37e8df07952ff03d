/**
 * How much of what all callers share one of them may have: no more than a multiple of what is still free, so that the bound falls as others come and
 * needs no setting (A. K. Choudhury, E. L. Hahne: "Dynamic queue length thresholds for shared memory packet switches", 1998). A lone caller gets four
 * fifths, many get about the same each, and a newcomer always finds something.
 */

/** What a caller may have for each that is free. */
const perFree = 4

/**
 * @param own what the caller has, with what it asks for
 * @param free what nobody has then
 */
export const isWithinShare = (own: number, free: number): boolean => own <= perFree * free
