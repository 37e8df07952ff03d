/** Lines to paste into programs, with this gateway's address and a model that it serves. */
import { useState } from "preact/hooks"
import type { RequestPage } from "../../src/admin/api/RequestPages.ts"
import { connect, listRequests } from "../api/Admin.ts"
import { useAnswer } from "../api/Asking.ts"
import { Ago } from "../look/Ago.tsx"
import { Copy } from "../look/Copy.tsx"
import { Trouble } from "../look/Notice.tsx"
import { fragmentOf } from "../route/Route.ts"
import { originOf } from "./Origin.ts"
import { snippetsFor } from "./Snippets.ts"

/** While nobody has asked yet, somebody may be trying just now. */
const againMs = () => 2_000

const newest = { limit: "20" }

const Newest = ({ page }: { readonly page: RequestPage | undefined }) => {
  if (page === undefined) return null
  const at = page.rows[0]?.started_at
  return at === undefined ? (
    <p class="state off" role="status">
      <span class="dot" aria-hidden="true" />
      No request has come yet. Paste one of these.
    </p>
  ) : (
    <p class="state good" role="status">
      <span class="dot" aria-hidden="true" />
      <span>
        The newest <a href={fragmentOf({ page: "requests" })}>request</a> came <Ago at={at} />.
      </span>
    </p>
  )
}

/** A model that was asked for and served, where the configuration only says how names of models look. */
const servedIn = (page: RequestPage | undefined): string | undefined =>
  page?.rows.find(({ model, outcome }) => outcome === "ok" && model !== null)?.model ?? undefined

export const ConnectPage = () => {
  const { problem, value } = useAnswer(connect, {})
  const [chosen, setChosen] = useState<string>()
  const recent = useAnswer(listRequests, newest, againMs).value
  if (value === undefined) return problem === undefined ? null : <Trouble title={problem.message} />
  const model = chosen ?? value.models[0] ?? servedIn(recent) ?? "MODEL"
  const snippets = snippetsFor({ origin: originOf(value, location), model })
  return (
    <div class="page">
      <div class="tools-line">
        <form class="filters" onSubmit={(event) => event.preventDefault()}>
          <label>
            <span>Model</span>
            <input
              list="models"
              value={model}
              onInput={(event) => setChosen(event.currentTarget.value)}
              aria-describedby="about-keys"
            />
            <datalist id="models">
              {value.models.map((name) => (
                <option key={name} value={name} />
              ))}
            </datalist>
          </label>
        </form>
        <Newest page={recent} />
      </div>
      <p id="about-keys" class="muted">
        {value.keys
          ? "Put a key of a caller into SLUICE_KEY first: export SLUICE_KEY=…"
          : "No key is asked for here. Most programs want one all the same: any text will do where all clients have an api_key of their own."}
      </p>
      <div class="snippets">
        {snippets.map(({ note, program, text }) => (
          <section key={program} class="card">
            <header>
              <h2>{program}</h2>
              <Copy text={text} what={`lines for ${program}`} />
            </header>
            <p class="muted">{note}</p>
            <pre>{text}</pre>
          </section>
        ))}
      </div>
    </div>
  )
}
