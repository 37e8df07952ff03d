/** How a request ended, for whoever reads of it: the audit, the log, the breakers. */

/** How a request ended; see docs/audit.md. */
export type Outcome = "ok" | "upstream_error" | "client_closed" | "rejected" | "stream_broken"
