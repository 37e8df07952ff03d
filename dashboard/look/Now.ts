/** What time it is, told anew each few seconds to whatever says how long ago something was. */
import { useEffect, useState } from "preact/hooks"

const everyMs = 1_000

const listeners = new Set<(now: number) => void>()
let timer: ReturnType<typeof setInterval> | undefined

const tick = () => {
  if (document.hidden) return
  const now = Date.now()
  for (const listener of listeners) listener(now)
}

/** The time, epoch milliseconds. All that ask share one timer, which rests while nobody looks. */
export const useNow = (): number => {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    listeners.add(setNow)
    timer ??= setInterval(tick, everyMs)
    return () => {
      listeners.delete(setNow)
      if (listeners.size > 0) return
      clearInterval(timer)
      timer = undefined
    }
  }, [])
  return now
}
