/** Which Node Sluice runs under: `engines` of package.json says so, and npm only warns of it. */

const numbers = (version) => version.split(".").map(Number)

const isBelow = (one, other) => {
  const at = other.findIndex((number, place) => number !== one[place])
  return at !== -1 && one[at] < other[at]
}

/** What to say to somebody whose Node is older than `engines` (`>=20.19.2`) asks for; undefined where it is not. */
export const tooOld = (running, engines) => {
  const least = engines.replace(">=", "")
  return isBelow(numbers(running), numbers(least))
    ? `Sluice needs Node ${least} or later, best 24; this is ${running}. "node --version" tells which one is found first.`
    : undefined
}
