/** Whether the engine lets go of bytes that nobody refers to. */

/** Makes bytes and forgets them, a turn of the loop each; whether any were collected before so many were made. */
export const areCollectedWithin = async (times: number, make: () => Uint8Array): Promise<boolean> => {
  let isOneCollected = false
  const registry = new FinalizationRegistry<undefined>(() => {
    isOneCollected = true
  })
  for (let time = 0; time < times && !isOneCollected; time++) {
    registry.register(make(), undefined)
    await new Promise((done) => setImmediate(done))
  }
  return isOneCollected
}
