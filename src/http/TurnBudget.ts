/**
 * What bodies may take of one turn of the event loop, all of them together: each by itself may be read in a few milliseconds, and sixty that came whole at
 * once would be read behind each other before anybody else is heard.
 */

/** Milliseconds, as `JsonCost` reckons: usual texts take a third of it. */
const mostMillis = 25

let spent = 0

/** The loop was at everybody else's events. */
const turned = (): void => {
  spent = 0
}

/** Whether a body that costs so many milliseconds is read in this turn; another one is read aside. */
export const takesTurn = (millis: number): boolean => {
  if (spent + millis > mostMillis) return false
  if (spent === 0) setImmediate(turned)
  spent += millis
  return true
}
