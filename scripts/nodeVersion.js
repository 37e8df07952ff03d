/** Which Node Sluice runs under: `engines` of package.json says so, and npm only warns of it. */

const numbers = (version) => version.split(".").map(Number)

/** What to say to somebody whose Node is older than `engines` (`>=20.19`) asks for; undefined where it is not. */
export const tooOld = (running, engines) => {
  const [major, minor] = numbers(engines.replace(">=", ""))
  const [runningMajor, runningMinor] = numbers(running)
  const isOld = runningMajor < major || (runningMajor === major && runningMinor < minor)
  return isOld
    ? `Sluice needs Node ${major}.${minor} or later, best 22 or later; this is ${running}. "node --version" tells which one is found first.`
    : undefined
}
