/** What the configuration says of metrics. */

export interface MetricsPolicy {
  /** Under whose names they are told. */
  readonly names: ReadonlySet<"gpt_api" | "sluice">
  /** A model as labels have it: a name of the configuration, whatever was asked. */
  readonly modelNamed: (asked: string) => string
}
