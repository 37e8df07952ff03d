/** The frame of all pages: who is signed in, where one can go, and the page one is on. */
import { useEffect, useState } from "preact/hooks"
import { health, session, signOut, whenSignedOut } from "../api/Admin.ts"
import { useAnswer } from "../api/Asking.ts"
import type { Problem } from "../api/Problem.ts"
import { ConfigPage } from "../configuration/ConfigPage.tsx"
import { ConnectPage } from "../connect/ConnectPage.tsx"
import { Trouble } from "../look/Notice.tsx"
import { RequestsPage } from "../requests/RequestsPage.tsx"
import { useRoute } from "../route/Here.ts"
import { fragmentOf, type Page, pages, type Route } from "../route/Route.ts"
import { UpstreamsPage } from "../upstreams/UpstreamsPage.tsx"
import { UsagePage } from "../usage/UsagePage.tsx"
import { SignIn } from "./SignIn.tsx"

const titles: Readonly<Record<Page, string>> = {
  requests: "Requests",
  usage: "Usage",
  upstreams: "Upstreams",
  config: "Configuration",
  connect: "Connect",
}

const healthAgainMs = () => 10_000

type Who =
  | { readonly is: "unknown" }
  | { readonly is: "out"; readonly asksKeys: boolean }
  | { readonly is: "in"; readonly asksKeys: boolean }
  | { readonly is: "trouble"; readonly problem: Problem }

const Navigation = ({
  canSignOut,
  onSignOut,
  page,
}: {
  readonly canSignOut: boolean
  readonly onSignOut: () => void
  readonly page: Page
}) => {
  const { value } = useAnswer(health, {}, healthAgainMs)
  const amiss: Partial<Record<Page, string>> =
    typeof value?.config.last_error === "string" ? { config: "The file on disk is not in force" } : {}
  return (
    <header class="bar">
      <button type="button" class="skip" onClick={() => document.getElementById("content")?.focus()}>
        Skip to the page
      </button>
      <span class="brand">Sluice</span>
      <nav aria-label="Pages">
        {pages.map((name) => (
          <a
            key={name}
            href={fragmentOf({ page: name })}
            aria-current={name === page ? "page" : undefined}
            class={amiss[name] === undefined ? undefined : "amiss"}
            title={amiss[name]}
          >
            {titles[name]}
          </a>
        ))}
      </nav>
      {canSignOut && (
        <button type="button" class="quiet" onClick={onSignOut}>
          Sign out
        </button>
      )}
    </header>
  )
}

const Content = ({ route }: { readonly route: Route }) => {
  switch (route.page) {
    case "requests":
      return <RequestsPage route={route} />
    case "usage":
      return <UsagePage route={route} />
    case "upstreams":
      return <UpstreamsPage route={route} />
    case "config":
      return <ConfigPage />
    case "connect":
      return <ConnectPage />
  }
}

/** Who is signed in, and a way to ask again. */
const useWho = (): readonly [Who, () => void, (who: Who) => void] => {
  const [who, setWho] = useState<Who>({ is: "unknown" })
  const find = async () => {
    const answer = await session()
    if (!answer.ok) return setWho({ is: "trouble", problem: answer.problem })
    const { asks_keys: asksKeys, signed_in: isIn } = answer.value
    setWho({ is: isIn ? "in" : "out", asksKeys })
  }
  useEffect(() => {
    whenSignedOut(find)
    void find()
  }, [])
  return [who, find, setWho]
}

export const App = () => {
  const route = useRoute()
  const [who, find, setWho] = useWho()
  const title = titles[route.page]
  useEffect(() => {
    document.title = who.is === "in" ? `${title} · Sluice` : "Sluice"
  }, [title, who.is])
  switch (who.is) {
    case "unknown":
      return <main class="alone" aria-busy="true" />
    case "trouble":
      return (
        <main class="alone">
          <h1>Sluice</h1>
          <Trouble title={who.problem.message}>
            <button type="button" onClick={find}>
              Try again
            </button>
          </Trouble>
        </main>
      )
    case "out":
      return <SignIn asksKeys={who.asksKeys} onSignedIn={find} />
    case "in": {
      const leave = async () => {
        await signOut()
        setWho({ is: "out", asksKeys: who.asksKeys })
      }
      return (
        <>
          <Navigation page={route.page} canSignOut={who.asksKeys} onSignOut={leave} />
          <main id="content" tabIndex={-1}>
            <h1 class="unseen">{title}</h1>
            <Content route={route} />
          </main>
        </>
      )
    }
  }
}
