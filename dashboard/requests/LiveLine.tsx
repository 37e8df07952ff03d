/** Whether requests come in by themselves, and a way to hold them. */
import { useNow } from "../look/Now.ts"
import { counted } from "../words/Numbers.ts"
import type { ListControls } from "./FollowedList.ts"
import type { RequestList } from "./RequestList.ts"

const Lost = ({ triedAt }: { readonly triedAt: number }) => {
  const seconds = Math.max(0, Math.ceil((triedAt - useNow()) / 1000))
  return (
    <>
      {seconds > 0
        ? `The gateway is gone; asking again in ${seconds} s`
        : "The gateway is gone; asking again"}
    </>
  )
}

const stateOf = ({ isPaused, live }: RequestList): readonly [string, preact.ComponentChildren] => {
  switch (live.is) {
    case "connecting":
      return ["off", "Connecting"]
    case "lost":
      return ["bad", <Lost triedAt={live.triedAt} />]
    case "live":
      return isPaused ? ["off", "Paused"] : ["good", "Live"]
  }
}

export const LiveLine = ({
  controls,
  isLive,
  list,
}: {
  readonly list: RequestList
  readonly controls: ListControls
  readonly isLive: boolean
}) => {
  const [tone, words] = isLive ? stateOf(list) : (["off", "Past requests"] as const)
  return (
    <div class="live">
      <span class={`state ${tone}`} role="status">
        <span class="dot" aria-hidden="true" />
        {words}
      </span>
      {isLive && (
        <button
          type="button"
          aria-pressed={list.isPaused}
          onClick={list.isPaused ? controls.goOn : controls.pause}
        >
          {!list.isPaused
            ? "Pause"
            : list.held.length === 0
              ? "Go on"
              : `Show ${counted(list.held.length, "new request")}`}
        </button>
      )}
    </div>
  )
}
