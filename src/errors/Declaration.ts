/** How an error is answered, declared once with each, whatever shape its client expects errors in. */

export interface Declaration {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Says what is wrong and what to do. */
  readonly message: string
  /** The same where Anthropic says it in words that its clients look for. */
  readonly anthropicMessage?: string
  readonly type: "invalid_request_error" | "rate_limit_error" | "upstream_error" | "server_error"
  /** The member of the body at fault. */
  readonly param: string | null
  readonly code: string | null
}
