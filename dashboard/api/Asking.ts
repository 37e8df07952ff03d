/** A question to the gateway as a component asks it: what was answered last, what went wrong since, and whether an answer is awaited. */
import { useEffect, useState } from "preact/hooks"
import type { Answer, Params } from "./Admin.ts"
import type { Problem } from "./Problem.ts"

export interface Asked<Value> {
  /** The last answer to these parameters, or to those before while these are awaited. */
  readonly value: Value | undefined
  readonly problem: Problem | undefined
  readonly isAwaited: boolean
}

const isSeen = (): boolean => !document.hidden

/**
 * Asks, and again when the parameters change or the page is seen again.
 *
 * @param againMs how long after this answer it is asked again, if it is; a function that is the same each time
 * @param isHeld nothing is asked for as long: the last answer stays
 */
export const useAnswer = <Value>(
  question: (params: Params, signal: AbortSignal) => Promise<Answer<Value>>,
  params: Params,
  againMs?: (answer: Answer<Value>) => number | undefined,
  isHeld = false,
): Asked<Value> => {
  const [asked, setAsked] = useState<Asked<Value>>({ value: undefined, problem: undefined, isAwaited: true })
  const key = JSON.stringify(params)
  useEffect(() => {
    if (isHeld) return
    const asking = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const wait = (ms: number) => {
      timer = setTimeout(() => (isSeen() ? run() : wait(ms)), ms)
    }
    const run = async () => {
      const answer = await question(params, asking.signal)
      if (asking.signal.aborted) return
      setAsked(({ value }) =>
        answer.ok
          ? { value: answer.value, problem: undefined, isAwaited: false }
          : { value, problem: answer.problem, isAwaited: false },
      )
      const ms = againMs?.(answer)
      if (ms !== undefined) wait(ms)
    }
    setAsked(({ value }) => ({ value, problem: undefined, isAwaited: true }))
    void run()
    return () => {
      asking.abort()
      clearTimeout(timer)
    }
    // The parameters are compared by what they say.
  }, [question, key, againMs, isHeld])
  return asked
}
