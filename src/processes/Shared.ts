/** One run of something for many who ask at once. */

/**
 * Runs it for whoever asks, one run at a time: who asks while it runs shares the next run with all others who do, so that what everybody gets was begun
 * after they asked.
 */
export const shared = <A>(run: () => Promise<A>): (() => Promise<A>) => {
  let running: Promise<unknown> = Promise.resolve()
  let next: Promise<A> | undefined
  const begin = () => {
    next = undefined
    const begun = run()
    // What came of it is for those who asked; the next run only waits for it.
    running = begun.then(
      () => {},
      () => {},
    )
    return begun
  }
  return () => {
    next ??= running.then(begin)
    return next
  }
}
