/** Where a request for a model would go just now, and why. */
import { useState } from "preact/hooks"
import { explain, type Params } from "../api/Admin.ts"
import { useAnswer } from "../api/Asking.ts"
import { Trouble } from "../look/Notice.tsx"
import { changeTo } from "../route/Here.ts"
import type { Filters } from "../route/Route.ts"
import { percent } from "../words/Numbers.ts"
import { type ExplainedGroup, type Explanation, explanationOf } from "./Explanation.ts"

/** Its chance to be asked first. */
const shareOf = (share: number | undefined): string => {
  if (share === undefined) return "by load"
  return share === 0 ? "standby" : percent(share, 1)
}

const Group = ({ group, index }: { readonly group: ExplainedGroup; readonly index: number }) => (
  <li>
    <h4>
      {index === 0 ? "First" : `Then (${group.label})`} <span class="muted">{group.after}</span>
    </h4>
    <ul class="targets">
      {group.targets.map(({ client, dialect, sends, share, why }) => (
        <li key={`${client} ${sends}`}>
          <span class="share num">{shareOf(share)}</span>
          <b>{client}</b>
          <span class="code">{sends}</span>
          <span class="muted">{[why, dialect].filter((word) => word !== "").join(", ")}</span>
        </li>
      ))}
    </ul>
  </li>
)

const Plan = ({ plan }: { readonly plan: Explanation }) =>
  plan.groups.length === 0 ? (
    <p class="warn">No client serves this model. Its name has to match model_match of one of them.</p>
  ) : (
    <>
      <p class="muted">{`Strategy: ${plan.strategy}`}</p>
      <ol class="plan">
        {plan.groups.map((group, index) => (
          <Group key={group.label} group={group} index={index} />
        ))}
      </ol>
      {plan.leftOut.length > 0 && (
        <p class="muted">{`Left out for want of a dialect: ${plan.leftOut.join(", ")}`}</p>
      )}
    </>
  )

const Answer = ({ asked }: { readonly asked: Params }) => {
  const { problem, value } = useAnswer(explain, asked)
  if (problem !== undefined) return <Trouble title={problem.message} />
  return value === undefined ? <p class="muted waiting">Asking …</p> : <Plan plan={explanationOf(value)} />
}

const fields = [
  ["model", "Model", "gpt-4o"],
  ["endpoint", "Endpoint", "chat.completions"],
  ["prompt", "First words", "decide the order under deterministic"],
] as const

/** @param set what is asked: it stands in the address, so that it can be shared */
export const ExplainBox = ({ set }: { readonly set: Filters }) => {
  const [typed, setTyped] = useState(set)
  const isAsked = Object.values(set).some((value) => value !== "")
  return (
    <section class="card explain">
      <h2>Where would it go?</h2>
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault()
          changeTo({ page: "upstreams", filters: typed })
        }}
      >
        {fields.map(([name, label, hint]) => (
          <label key={name} class={`of-${name}`}>
            <span>{label}</span>
            <input
              value={typed[name] ?? ""}
              placeholder={hint}
              onInput={(event) => setTyped({ ...typed, [name]: event.currentTarget.value.trim() })}
            />
          </label>
        ))}
        <button type="submit" class="main">
          Explain
        </button>
      </form>
      {isAsked && <Answer asked={set} />}
    </section>
  )
}
