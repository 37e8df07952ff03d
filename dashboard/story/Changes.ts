/** What was changed of a request, or left out of it, on its way to the client that answered. */
import type { RequestRow } from "../../src/admin/api/RequestRow.ts"

type Changed = Pick<
  RequestRow,
  "attempts" | "dropped" | "model" | "not_asked" | "upstream" | "upstream_model"
>

/** In sentences; none where it went as it came. */
export const changesOf = ({
  attempts,
  dropped,
  model,
  not_asked: notAsked,
  upstream,
  upstream_model: sent,
}: Changed): ReadonlyArray<string> => [
  ...(sent !== null && model !== null && sent !== model
    ? [`Asked for ${model}; ${upstream ?? "the client"} was asked for ${sent}.`]
    : []),
  ...notAsked.map(({ cause, upstream: passedBy }) => `${passedBy} was not asked: ${cause}`),
  ...attempts.flatMap((attempt) =>
    attempt.resumed === true ? [`${attempt.upstream} was asked to resume an answer that broke off.`] : [],
  ),
  ...dropped.map((part) => `Not sent to the client: ${part}`),
]
