/** What the configuration says of records: whether bodies are kept, how much of them, and for how long. */

export interface AuditPolicy {
  readonly bodies: "full" | "none"
  readonly maxBodyBytes: number
  /** 0 keeps for ever. */
  readonly retentionMonths: number
}
