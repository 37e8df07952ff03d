/** How the fibers of this process take turns: one queue for all of them. */
import * as Scheduler from "effect/Scheduler"

/** So many turns one after the other, then Node's events have theirs. */
const mostTurns = 2_048

/**
 * Effect's own scheduler with one queue for all fibers. Effect's has one for each, which it finds in a `WeakMap` from the fiber: an entry there
 * for each took a tenth of all the CPU of a server that only waits once in a fiber for each request.
 */
class TurnScheduler extends Scheduler.MixedScheduler {
  readonly #runner = new Scheduler.SchedulerRunner((turn, drain) => {
    if (turn >= mostTurns) setTimeout(drain, 0, 0)
    else queueMicrotask(() => drain(turn + 1))
  })

  override scheduleTask(task: Scheduler.Task, priority: number): void {
    this.#runner.scheduleTask(task, priority)
  }
}

export const turnScheduler: Scheduler.Scheduler = new TurnScheduler(mostTurns)
