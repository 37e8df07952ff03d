/** How a client stands, in words: whether it is asked, and if not, why and until when. */
import type { UpstreamTold } from "../../src/admin/api/UpstreamReport.ts"
import type { Tone } from "../look/Tone.ts"

const reasons: Readonly<Record<string, string>> = {
  failing: "it fails",
  rate_limited: "it limits our rate",
  credentials_rejected: "it rejects our key",
  out_of_credit: "its account is out of credit",
  model_missing: "it does not have the model",
}

export const reasonOf = (reason: string | null): string =>
  reason === null ? "it fails" : (reasons[reason] ?? reason.replaceAll("_", " "))

type Standing = Pick<UpstreamTold, "failures" | "last_5m" | "models" | "state">

export const toneOf = ({ last_5m: recent, models, state }: Standing): Tone => {
  if (state === "open") return "bad"
  if (state === "half_open" || models.length > 0) return "warn"
  return recent.errors > 0 && recent.errors * 5 >= recent.attempts ? "warn" : "good"
}

export const wordOf = ({ failures, models, state }: Standing): string => {
  if (state === "open") return "set aside"
  if (state === "half_open") return "being probed"
  if (models.length > 0) return "some models set aside"
  return failures === null || failures === 0 ? "serving" : `serving; ${failures} failed in a row`
}
