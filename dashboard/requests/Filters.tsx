/** By what requests are filtered. What is set is in the address, so that it can be shared. */
import { useEffect, useRef, useState } from "preact/hooks"
import type { Filters as Set } from "../route/Route.ts"
import { outcomeNames } from "./Outcome.tsx"

/** What a filter takes while somebody types is asked a little later. */
const pauseMs = 300

const ages: ReadonlyArray<readonly [string, string]> = [
  ["15m", "last 15 minutes"],
  ["1h", "last hour"],
  ["24h", "last 24 hours"],
  ["7d", "last 7 days"],
  ["30d", "last 30 days"],
]

interface Field {
  readonly name: string
  readonly label: string
  readonly hint?: string
  readonly list?: ReadonlyArray<string>
}

type Change = (name: string, value: string) => void

const Text = ({
  change,
  field,
  value,
}: {
  readonly field: Field
  readonly value: string
  readonly change: Change
}) => {
  const [typed, setTyped] = useState(value)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  // A link may set it too.
  useEffect(() => setTyped(value), [value])
  useEffect(() => () => clearTimeout(timer.current), [])
  const type = (text: string) => {
    setTyped(text)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => change(field.name, text.trim()), pauseMs)
  }
  return (
    <label class={field.name}>
      <span>{field.label}</span>
      <input
        type="search"
        value={typed}
        placeholder={field.hint}
        maxLength={512}
        list={field.list === undefined ? undefined : `known-${field.name}`}
        onInput={(event) => type(event.currentTarget.value)}
      />
      {field.list !== undefined && (
        <datalist id={`known-${field.name}`}>
          {field.list.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </label>
  )
}

/** An instant as the field of a browser has it, in the reader's time; and back. */
const toField = (instant: string): string => {
  const at = new Date(instant)
  if (Number.isNaN(at.getTime())) return ""
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

const fromField = (text: string): string => (text === "" ? "" : new Date(text).toISOString())

const Instant = ({
  change,
  label,
  name,
  value,
}: {
  readonly name: string
  readonly label: string
  readonly value: string
  readonly change: Change
}) => (
  <label>
    <span>{label}</span>
    <input
      type="datetime-local"
      value={toField(value)}
      onChange={(event) => change(name, fromField(event.currentTarget.value))}
    />
  </label>
)

const Time = ({ change, set }: { readonly set: Set; readonly change: Change }) => {
  const since = set["since"] ?? ""
  const isAge = since === "" || ages.some(([age]) => age === since)
  const [isBetween, setBetween] = useState(!isAge || set["until"] !== undefined)
  const choose = (value: string) => {
    setBetween(value === "between")
    change("until", "")
    change("since", value === "between" ? "" : value)
  }
  return (
    <>
      <label>
        <span>Time</span>
        <select value={isBetween ? "between" : since} onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">any</option>
          {ages.map(([age, words]) => (
            <option key={age} value={age}>
              {words}
            </option>
          ))}
          <option value="between">between …</option>
        </select>
      </label>
      {isBetween && (
        <>
          <Instant name="since" label="From" value={since} change={change} />
          <Instant name="until" label="To" value={set["until"] ?? ""} change={change} />
        </>
      )}
    </>
  )
}

/** What the list shows, for the fields to suggest. */
export interface Known {
  readonly models: ReadonlyArray<string>
  readonly upstreams: ReadonlyArray<string>
  readonly endpoints: ReadonlyArray<string>
}

export const Filters = ({
  known,
  onChange,
  set,
}: {
  readonly set: Set
  readonly known: Known
  readonly onChange: (set: Set) => void
}) => {
  // Two changes may come before the address is read again.
  const latest = useRef(set)
  latest.current = set
  const change: Change = (name, value) => {
    latest.current = { ...latest.current, [name]: value }
    onChange(latest.current)
  }
  const fields: ReadonlyArray<Field> = [
    { name: "text", label: "Search", hint: "id, model or error" },
    { name: "model", label: "Model", list: known.models },
    { name: "upstream", label: "Client", list: known.upstreams },
    { name: "endpoint", label: "Endpoint", list: known.endpoints },
    { name: "status", label: "Status", hint: "429, 5xx" },
    { name: "key", label: "Key", hint: "fingerprint" },
  ]
  const others = Object.keys(set).filter((name) => ["ip", "conversation"].includes(name))
  const isSet = Object.values(set).some((value) => value !== "")
  return (
    <form class="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      <label>
        <span>Outcome</span>
        <select
          value={set["outcome"] ?? ""}
          onChange={(event) => change("outcome", event.currentTarget.value)}
        >
          <option value="">all</option>
          {outcomeNames.map(([name, words]) => (
            <option key={name} value={name}>
              {words}
            </option>
          ))}
        </select>
      </label>
      {fields.map((field) => (
        <Text key={field.name} field={field} value={set[field.name] ?? ""} change={change} />
      ))}
      <Time key={isSet ? "set" : "clear"} set={set} change={change} />
      {others.map((name) => (
        <Text
          key={name}
          field={{ name, label: name === "ip" ? "Address" : "Conversation" }}
          value={set[name] ?? ""}
          change={change}
        />
      ))}
      {isSet && (
        <button type="button" class="quiet" onClick={() => onChange({})}>
          Clear
        </button>
      )}
    </form>
  )
}
