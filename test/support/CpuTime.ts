/** What a calculation costs this process, however much else the machine has to do. */

/** Counts from now on; gives how many milliseconds of processors this process has used since. */
export const cpuMs = (): (() => number) => {
  const before = process.cpuUsage()
  return () => {
    const { system, user } = process.cpuUsage(before)
    return (user + system) / 1000
  }
}
