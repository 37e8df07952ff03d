/** The route in force, and ways to another. */
import { useEffect, useState } from "preact/hooks"
import { fragmentOf, type Page, type Route, routeOf } from "./Route.ts"

const here = (): Route => routeOf(location.hash)

export const useRoute = (): Route => {
  const [route, setRoute] = useState(here)
  useEffect(() => {
    const change = () => setRoute(here())
    addEventListener("hashchange", change)
    return () => removeEventListener("hashchange", change)
  }, [])
  return route
}

/** Goes there, as a link would. */
export const goTo = (route: Partial<Route> & { readonly page: Page }): void => {
  location.hash = fragmentOf(route)
}

/** Goes there instead of here: going back leads to where one was before. */
export const changeTo = (route: Partial<Route> & { readonly page: Page }): void => {
  history.replaceState(null, "", fragmentOf(route))
  dispatchEvent(new HashChangeEvent("hashchange"))
}
