/** Where in the dashboard somebody is: a page, perhaps a thing on it, and what it is filtered by, all in the address, so that it can be shared and gone back to. */

export const pages = ["requests", "usage", "upstreams", "config", "connect"] as const

export type Page = (typeof pages)[number]

export type Filters = Readonly<Record<string, string>>

export interface Route {
  readonly page: Page
  /** Of the request whose story is open. */
  readonly id: string | undefined
  readonly filters: Filters
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The route of a fragment, `#/requests/ID?outcome=failed`. Whatever is no page of ours leads to the requests. */
export const routeOf = (fragment: string): Route => {
  const [path = "", query = ""] = fragment.replace(/^#?\/?/, "").split(/\?(.*)/s)
  const [name = "", id = ""] = path.split("/")
  const page = pages.find((known) => known === name) ?? "requests"
  return {
    page,
    id: id === "" ? undefined : decoded(id),
    filters: Object.fromEntries(new URLSearchParams(query)),
  }
}

/** The fragment of a route. */
export const fragmentOf = ({ filters = {}, id, page }: Partial<Route> & { readonly page: Page }): string => {
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value !== "")).toString()
  const below = id === undefined ? "" : `/${encodeURIComponent(id)}`
  return `#/${page}${below}${query === "" ? "" : `?${query}`}`
}
