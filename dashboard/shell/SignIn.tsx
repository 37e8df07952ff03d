/** Where an operator says the admin key. The browser keeps a session in a cookie that no program of a page can read, never the key. */
import type { TargetedSubmitEvent } from "preact"
import { useState } from "preact/hooks"
import { signIn } from "../api/Admin.ts"

const NoKeys = () => (
  <main class="alone">
    <h1>Sluice</h1>
    <p>
      This page is closed: callers are asked for keys here, and the configuration has no key for operators.
      Add one, and load this page again:
    </p>
    <pre>
      admin:{"\n"} keys: ["${"{ADMIN_KEY}"}"]
    </pre>
  </main>
)

export const SignIn = ({
  asksKeys,
  onSignedIn,
}: {
  readonly asksKeys: boolean
  readonly onSignedIn: () => void
}) => {
  const [key, setKey] = useState("")
  const [said, setSaid] = useState<string>()
  const [isAwaited, setAwaited] = useState(false)
  if (!asksKeys) return <NoKeys />
  const submit = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    setAwaited(true)
    const answer = await signIn(key.trim())
    setAwaited(false)
    if (answer.ok) return onSignedIn()
    setSaid(answer.problem.message)
  }
  return (
    <main class="alone">
      <h1>Sluice</h1>
      <form onSubmit={submit}>
        <label for="key">Admin key</label>
        <input
          id="key"
          type="password"
          autocomplete="current-password"
          required
          value={key}
          aria-describedby="key-help"
          onInput={(event) => setKey(event.currentTarget.value)}
        />
        <p id="key-help" class="muted">
          One of <code>admin.keys</code> of the configuration. Keys of callers do not open this page.
        </p>
        {said !== undefined && (
          <p class="bad" role="alert">
            {said}
          </p>
        )}
        <button type="submit" class="main" disabled={isAwaited}>
          Sign in
        </button>
      </form>
    </main>
  )
}
