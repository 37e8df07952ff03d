/** What a client's answers say of its entry in the configuration, in plain words: what is wrong, and what is merely so. */
import type { Dialect } from "../../routing/Dialect.ts"
import type { Upstream } from "../../routing/Upstream.ts"
import { refusalKind } from "../../upstream/policy/Refusal.ts"

/** An answer as it came, or why there is none, in words that may be told. */
export type Answer =
  | {
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: Uint8Array
      /** What it says of itself, as it may be told. */
      readonly words: string
    }
  | { readonly failure: string }

/** Whether a client has a model: by its list, or asked for the model alone. */
export interface AskedModel {
  readonly model: string
  readonly has: "yes" | "no" | "unknown"
}

/** What a client was asked, and what it said. */
export interface Findings {
  readonly upstream: Upstream
  readonly list: Answer
  /** How many models it lists; `undefined` where it gave no list. */
  readonly listed: number | undefined
  readonly models: ReadonlyArray<AskedModel>
  readonly dialects: ReadonlyArray<{
    readonly dialect: Dialect
    readonly url: string
    readonly answer: Answer
  }>
}

export interface ClientReading {
  readonly problems: ReadonlyArray<string>
  readonly notes: ReadonlyArray<string>
}

const isAnswer = (answer: Answer): answer is Extract<Answer, { readonly status: number }> =>
  "status" in answer

/** Whether an answer to an empty request says that there is an endpoint: it complains of the request, not of the path. */
export const speaks = (answer: Answer): "yes" | "no" | "unknown" => {
  if (!isAnswer(answer)) return "unknown"
  const { status } = answer
  if (status === 404 || status === 405 || status === 501) return "no"
  return status < 300 || status === 400 || status === 413 || status === 415 || status === 422
    ? "yes"
    : "unknown"
}

const refusesKey = (answer: Answer): boolean =>
  isAnswer(answer) &&
  (answer.status === 401 || answer.status === 403 || answer.status === 400) &&
  refusalKind(answer.status, answer.headers, answer.body) === "credentials"

const said = (answer: Answer): string =>
  isAnswer(answer) ? `${answer.status}${answer.words === "" ? "" : `: ${answer.words}`}` : answer.failure

/** A good key in the wrong header is refused in the same words as a bad one. */
const refusedKey = ({ keyHeader }: Upstream, answer: Answer): string =>
  `refuses its api_key, sent as ${keyHeader ?? "Authorization: Bearer"} (answered ${said(answer)}); if the key is good, set the auth or preset that fits`

const ofKey = (upstream: Upstream, answer: Answer): ClientReading => {
  const { apiKey, passesKey } = upstream
  if (apiKey !== undefined) return { problems: [refusedKey(upstream, answer)], notes: [] }
  return passesKey
    ? { problems: [], notes: ["asks for a key; callers send their own, so nothing more can be asked"] }
    : { problems: [`asks for a key and has none (answered ${said(answer)}); set api_key`], notes: [] }
}

const ofModels = (models: ReadonlyArray<AskedModel>): ReadonlyArray<string> =>
  models.filter(({ has }) => has === "no").map(({ model }) => `has no model ${JSON.stringify(model)}`)

/** Azure's older addresses say the same of a wrong path and of a query that is missing. */
const azures = ({ baseUrl, query }: Upstream): string =>
  /\.azure\.com(?:[:/]|$)/i.test(baseUrl) && !query.includes("api-version")
    ? "; Azure's older addresses need ?api-version=… behind it"
    : ""

const ofDialects = ({ dialects, upstream }: Findings): ClientReading => {
  const known = dialects.map((one) => ({ ...one, speaks: speaks(one.answer) }))
  const spoken = known.filter((one) => one.speaks === "yes").map(({ dialect }) => dialect)
  const lacking = known.filter((one) => one.speaks === "no")
  const wanted = lacking.filter(({ dialect }) => upstream.dialects.includes(dialect))
  if (wanted.length > 0 && spoken.length === 0) {
    const { answer, url } = wanted[0] ?? { answer: { failure: "" }, url: "" }
    return {
      problems: [`has nothing at ${url} (answered ${said(answer)}); check base_url${azures(upstream)}`],
      notes: [],
    }
  }
  const kept = upstream.dialects.filter((dialect) => !wanted.some((one) => one.dialect === dialect))
  const right = kept.length > 0 ? kept : spoken
  const untold = spoken.filter((dialect) => !upstream.dialects.includes(dialect))
  return {
    problems: upstream.dialectsAssumed
      ? []
      : wanted.map(
          ({ answer, dialect, url }) =>
            `does not speak ${dialect}: ${url} answered ${said(answer)}; write dialects: [${right.join(", ")}]`,
        ),
    notes: [
      ...(spoken.length > 0 ? [`speaks ${spoken.join(", ")}`] : []),
      ...(untold.length > 0 && kept.length > 0
        ? [`to use ${untold.join(" and ")}, write dialects: [${spoken.join(", ")}]`]
        : []),
    ],
  }
}

/** All that is found, the worst alone where nothing else can be known. */
export const readingOf = (findings: Findings): ClientReading => {
  const { list, listed, models, upstream } = findings
  if (!isAnswer(list)) return { problems: [`cannot be reached: ${list.failure}`], notes: [] }
  const refusing = [list, ...findings.dialects.map(({ answer }) => answer)].find(refusesKey)
  if (refusing !== undefined) return ofKey(upstream, refusing)
  const ofDialect = ofDialects(findings)
  return {
    problems: [...ofModels(models), ...ofDialect.problems],
    notes: [
      listed === undefined
        ? `gives no list of models (answered ${said(list)})`
        : `lists ${listed} ${listed === 1 ? "model" : "models"}`,
      ...ofDialect.notes,
    ],
  }
}
