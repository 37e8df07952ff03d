/** Where callers ask this gateway, as seen from this browser. */
import type { ConnectReport } from "../../src/admin/api/ConnectReport.ts"

/** Of the browser's `location`. */
interface Place {
  readonly protocol: string
  readonly hostname: string
  readonly origin: string
  readonly pathname: string
}

/** A path that a proxy put before the dashboard's. */
const prefixOf = (pathname: string): string => pathname.replace(/\/dashboard\/?$/, "").replace(/\/$/, "")

/** The address without `/v1`. On a port of its own, the dashboard knows callers' port and not what stands before it. */
export const originOf = (
  report: Pick<ConnectReport, "port" | "same_port"> | undefined,
  { hostname, origin, pathname, protocol }: Place,
): string =>
  report === undefined || report.same_port
    ? `${origin}${prefixOf(pathname)}`
    : `${protocol}//${hostname}:${report.port}`
