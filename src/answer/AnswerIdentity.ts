/** What an answer says of itself beside what it answers: the name it has at its upstream, and the tariff it was made by. */
import { isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"

export interface AnswerIdentity {
  readonly responseId: string | undefined
  /** Known of the answer alone: a request may ask for one and be given another. */
  readonly serviceTier: string | undefined
}

const said = (value: Json | undefined): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined

/** Of a whole answer, or of a stream put together. Anthropic says the tariff with the usage. */
export const identityOf = (answer: JsonObject): AnswerIdentity => {
  const { id, service_tier: tier, usage } = answer
  return {
    responseId: said(id),
    serviceTier: said(tier) ?? (isJsonObject(usage) ? said(usage["service_tier"]) : undefined),
  }
}
