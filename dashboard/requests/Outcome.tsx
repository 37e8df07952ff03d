/** How a request ended, by a colour and by its words. */

import type { Tone } from "../look/Tone.ts"

const outcomes: Readonly<Record<string, readonly [Tone, string]>> = {
  ok: ["good", "ok"],
  upstream_error: ["bad", "client failed"],
  stream_broken: ["bad", "broke off"],
  rejected: ["warn", "refused"],
  client_closed: ["off", "caller left"],
}

/** Outcomes as the filter offers them. */
export const outcomeNames: ReadonlyArray<readonly [string, string]> = [
  ["failed", "all but ok"],
  ...Object.entries(outcomes).map(([name, [, words]]) => [name, words] as const),
]

export const toneOf = (outcome: string): Tone => outcomes[outcome]?.[0] ?? "off"

export const Outcome = ({
  outcome,
  status,
}: {
  readonly outcome: string
  readonly status: number | null
}) => {
  const [tone, words] = outcomes[outcome] ?? ["off", outcome]
  return (
    <span class={`outcome ${tone}`}>
      <span class="dot" aria-hidden="true" />
      <span class="num">{status ?? "–"}</span>
      {outcome !== "ok" && <span class="why">{words}</span>}
    </span>
  )
}
