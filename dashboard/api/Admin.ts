/** The admin API as this page asks it. Addresses are relative, so that the page works behind a path of a proxy too. */
import type { ActiveReport } from "../../src/admin/api/ActiveReport.ts"
import type { ConfigReport } from "../../src/admin/api/ConfigReport.ts"
import type { ConnectReport } from "../../src/admin/api/ConnectReport.ts"
import type { RequestPage, RequestStories } from "../../src/admin/api/RequestPages.ts"
import type { UpstreamReport } from "../../src/admin/api/UpstreamReport.ts"
import type { UsageReport } from "../../src/admin/api/UsageReport.ts"
import { type Problem, problemOf, unreachable } from "./Problem.ts"

/** Parameters of a question; those that are empty are left out. */
export type Params = Readonly<Record<string, string | undefined>>

export type Answer<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problem: Problem }

export const addressOf = (path: string, params: Params = {}): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== "") query.set(name, value)
  }
  const text = query.toString()
  return `admin/api/${path}${text === "" ? "" : `?${text}`}`
}

/** Who hears of it when the session is over. */
let onSignedOut = (): void => {}

export const whenSignedOut = (listener: () => void): void => {
  onSignedOut = listener
}

const ask = async <Value>(
  address: string,
  init: RequestInit,
  read: (response: Response) => Promise<Value>,
): Promise<Answer<Value>> => {
  try {
    const response = await fetch(address, init)
    if (response.ok) return { ok: true, value: await read(response) }
    const problem = problemOf(response.status, await response.text())
    if (problem.kind === "signed_out" && init.method !== "POST") onSignedOut()
    return { ok: false, problem }
  } catch {
    return { ok: false, problem: unreachable }
  }
}

/** An answer is taken for what the API's schemas say it is: the page comes from the gateway that it asks. */
const json = async (response: Response) => JSON.parse(await response.text())

const nothing = async (): Promise<void> => {}

/** A question; its signal gives it up. */
const get =
  <Value>(path: string) =>
  (params: Params, signal: AbortSignal): Promise<Answer<Value>> =>
    ask(addressOf(path, params), { signal }, json)

export const listRequests = get<RequestPage>("requests")
export const activeRequests = get<ActiveReport>("requests/active")
export const usage = get<UsageReport>("usage")
export const upstreams = get<UpstreamReport>("upstreams")
export const config = get<ConfigReport>("config")
/** Of what it says, what the frame shows. */
export interface Health {
  readonly config: { readonly last_error: string | null }
}
export const health = get<Health>("health")
export const connect = get<ConnectReport>("connect")
export const explain = get<unknown>("explain")

export const story = ({ id = "" }: Params, signal: AbortSignal): Promise<Answer<RequestStories>> =>
  ask(addressOf(`requests/${encodeURIComponent(id)}`), { signal }, json)

export interface Session {
  readonly asks_keys: boolean
  readonly signed_in: boolean
}

export const session = (): Promise<Answer<Session>> => ask(addressOf("session"), {}, json)

/** Whether the session is over, told to whoever hears of it. */
export const isSignedOut = async (): Promise<boolean> => {
  const answer = await session()
  const isOut = answer.ok && !answer.value.signed_in
  if (isOut) onSignedOut()
  return isOut
}

export const signIn = (key: string): Promise<Answer<void>> =>
  ask(
    addressOf("session"),
    {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key }),
    },
    nothing,
  )

export const signOut = (): Promise<Answer<void>> => ask(addressOf("session"), { method: "DELETE" }, nothing)
