/** The paths of what only operators see. */
import { apiRoot } from "./api/AdminApi.ts"

export const dashboardRoot = "/dashboard"

export type AdminPlace = "api" | "dashboard" | "health" | "metrics"

/** What stands at a path; nothing at those that callers ask. */
export const adminPlaceOf = (path: string): AdminPlace | undefined => {
  if (path === "/metrics") return "metrics"
  if (path === apiRoot || path.startsWith(`${apiRoot}/`)) return "api"
  return path === dashboardRoot || path.startsWith(`${dashboardRoot}/`) ? "dashboard" : undefined
}

export const sessionPath = `${apiRoot}/session`
export const openApiPath = `${apiRoot}/openapi.json`
