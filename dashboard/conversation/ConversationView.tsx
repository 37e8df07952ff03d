/** A conversation as people read it. What was said is text, never markup, whatever it holds. */
import { counted } from "../words/Numbers.ts"
import { indented } from "./Loose.ts"
import { type Conversation, mostTurns, type Turn, type TurnPart } from "./Turn.ts"

/** A long text is shown folded: its beginning, and the rest when somebody asks. */
const longest = 6_000

const Folding = ({ text }: { readonly text: string }) =>
  text.length <= longest ? (
    <p class="said">{text}</p>
  ) : (
    <>
      <p class="said">{`${text.slice(0, longest)}…`}</p>
      <details>
        <summary>{`All ${text.length.toLocaleString("en")} characters`}</summary>
        <p class="said">{text.slice(longest)}</p>
      </details>
    </>
  )

/** What tools give is JSON more often than not. */
const isShortJson = (text: string): boolean => text.length <= longest && /^\s*[[{]/.test(text)

const Part = ({ part }: { readonly part: TurnPart }) => {
  switch (part.is) {
    case "text":
      return <Folding text={part.text} />
    case "thinking":
      return (
        <details class="thinking">
          <summary>Thoughts</summary>
          <Folding text={part.text} />
        </details>
      )
    case "refusal":
      return <p class="said bad">{part.text}</p>
    case "call":
      return (
        <div class="call">
          <p>
            calls <b class="code">{part.name}</b> <span class="muted code">{part.id}</span>
          </p>
          {part.input !== "" && <pre>{part.input}</pre>}
        </div>
      )
    case "result":
      return (
        <div class={part.isError ? "call bad" : "call"}>
          <p>
            {part.isError ? "failed" : "gave"} <span class="muted code">{part.id}</span>
          </p>
          {part.parts.map((inner, index) =>
            inner.is === "text" && isShortJson(inner.text) ? (
              <pre key={index}>{indented(inner.text)}</pre>
            ) : (
              <Part key={index} part={inner} />
            ),
          )}
        </div>
      )
    case "picture":
      return part.source === undefined ? (
        <p class="placeholder">{part.told}</p>
      ) : (
        <img class="picture" src={part.source} alt={part.told} loading="lazy" />
      )
    case "other":
      return <p class="placeholder">{part.told}</p>
  }
}

const TurnView = ({ turn }: { readonly turn: Turn }) => (
  <li class={`turn ${/^[a-z]+$/.test(turn.role) ? `of-${turn.role}` : ""}`}>
    <h4>{turn.role}</h4>
    <div>
      {turn.parts.map((part, index) => (
        <Part key={index} part={part} />
      ))}
    </div>
  </li>
)

export const ConversationView = ({
  answer,
  asked,
}: {
  readonly asked: Conversation
  readonly answer: Conversation
}) => {
  const left = asked.turns.length - mostTurns
  const turns = [...asked.turns.slice(Math.max(0, left)), ...answer.turns.slice(0, mostTurns)]
  return (
    <>
      {asked.tools.length > 0 && (
        <details class="tools">
          <summary>{`${counted(asked.tools.length, "tool")} offered`}</summary>
          <p class="code">{asked.tools.join(", ")}</p>
        </details>
      )}
      {left > 0 && (
        <p class="muted">{`Left out: ${counted(left, "turn")} before these. The request has all of them.`}</p>
      )}
      <ol class="turns">
        {turns.map((turn, index) => (
          <TurnView key={index} turn={turn} />
        ))}
      </ol>
    </>
  )
}
