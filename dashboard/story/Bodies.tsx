/** What was said in a request, as a conversation, and its bodies as they are kept. */
import { useState } from "preact/hooks"
import type { RequestStory } from "../../src/admin/api/RequestRow.ts"
import { connect } from "../api/Admin.ts"
import { useAnswer } from "../api/Asking.ts"
import { originOf } from "../connect/Origin.ts"
import { ConversationView } from "../conversation/ConversationView.tsx"
import { indented } from "../conversation/Loose.ts"
import { answerIn, requestIn } from "../conversation/Reading.ts"
import { Copy } from "../look/Copy.tsx"
import { curlOf } from "./Repeat.ts"

/** Of a body, so much is laid out at once: browsers are slow with more. */
const longest = 200_000

/** Whoever has no valid key is refused before the body is read. */
const isUnread = ({ attempts, status }: RequestStory): boolean => status === 401 && attempts.length === 0

const Raw = ({
  text,
  why,
  what,
}: {
  readonly text: string | null
  readonly what: string
  readonly why: string
}) => {
  if (text === null || text === "") return <p class="muted">{`No ${what} is kept. ${why}`}</p>
  const shown = indented(text)
  return (
    <div class="raw">
      <Copy text={text} what={what} />
      <pre>{shown.slice(0, longest)}</pre>
      {shown.length > longest && <p class="muted">The rest is left out here; Copy has all of it.</p>}
    </div>
  )
}

const whyNotKept = (story: RequestStory): string =>
  isUnread(story)
    ? "The request was refused before its body was read."
    : "audit.bodies of the configuration says what is."

const Talk = ({ story }: { readonly story: RequestStory }) => {
  const asked = requestIn(story.request)
  const answer = answerIn(story.response)
  if (asked.turns.length + answer.turns.length > 0) return <ConversationView asked={asked} answer={answer} />
  return (
    <p class="muted">
      {story.request === null
        ? `What was said is not kept. ${whyNotKept(story)}`
        : "This is no conversation, or its body was cut at audit.max_body_bytes. Request and Answer have what is kept."}
    </p>
  )
}

const Headers = ({ story }: { readonly story: RequestStory }) => (
  <dl class="facts wide">
    {Object.entries(story.headers ?? {}).map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd class="code">{value}</dd>
      </div>
    ))}
  </dl>
)

const Repeat = ({ story }: { readonly story: RequestStory }) => {
  const { value } = useAnswer(connect, {})
  const line = curlOf(story, originOf(value, location))
  if (line === undefined)
    return <p class="muted">This request cannot be sent again from what is kept of it.</p>
  return (
    <>
      <p class="muted">With a key of a caller in SLUICE_KEY. If the body was cut, so is this.</p>
      <div class="raw">
        <Copy text={line} what="command" />
        <pre>{line}</pre>
      </div>
    </>
  )
}

const views = ["Conversation", "Request", "Answer", "Headers", "Repeat"] as const

type View = (typeof views)[number]

const Shown = ({ story, view }: { readonly story: RequestStory; readonly view: View }) => {
  switch (view) {
    case "Conversation":
      return <Talk story={story} />
    case "Request":
      return <Raw text={story.request} what="request" why={whyNotKept(story)} />
    case "Answer":
      return <Raw text={story.response} what="answer" why={whyNotKept(story)} />
    case "Headers":
      return <Headers story={story} />
    case "Repeat":
      return <Repeat story={story} />
  }
}

export const Bodies = ({ story }: { readonly story: RequestStory }) => {
  const [view, setView] = useState<View>("Conversation")
  return (
    <section>
      <fieldset class="tabs" aria-label="What to show">
        {views.map((name) => (
          <button key={name} type="button" aria-pressed={name === view} onClick={() => setView(name)}>
            {name}
          </button>
        ))}
      </fieldset>
      <Shown story={story} view={view} />
    </section>
  )
}
