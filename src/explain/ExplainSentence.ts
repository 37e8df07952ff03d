/** An explanation in a sentence: where most requests go, and where the others. */
import { strategies } from "../routing/strategies/Strategies.ts"
import type { ExplainedGroup, ExplainedTarget, Explanation } from "./Explain.ts"

/** The largest part of how many that is told in words. */
const mostParts = 10

/** `3 of 4 requests` where it is exactly so, else a percentage. */
const part = (share: number): string => {
  for (let parts = 2; parts <= mostParts; parts++) {
    const some = share * parts
    if (Math.abs(some - Math.round(some)) < 1e-9) return `${Math.round(some)} of ${parts} requests`
  }
  return `${Math.round(share * 1000) / 10}% of requests`
}

const named = (asked: string, { upstream, upstreamModel }: ExplainedTarget): string =>
  upstreamModel === asked ? upstream : `${upstream} as ${upstreamModel}`

const either = (names: ReadonlyArray<string>): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`

/** More upstreams than these are in the table alone. */
const mostNamed = 4

const firstOf = ({ targets }: ExplainedGroup, { model, prompt, strategy }: Explanation): string => {
  const names = targets.map((target) => named(model, target))
  const [first = "", ...others] = names
  if (others.length === 0) return first
  if (names.length > mostNamed) return `${names.length} upstreams`
  if (prompt === "certain") return `${first} for this prompt, else ${others.join(", then ")}`
  const standby = names.filter((_, at) => targets[at]?.weight === 0)
  const active = targets.filter(({ weight }) => weight > 0)
  if (active.length < 2) return `${first}, else ${others.join(", then ")}`
  const then = standby.length === 0 ? "" : `, else ${standby.join(", then ")}`
  const { first: by } = strategies[strategy]
  if ("whoever" in by) {
    return `${either(active.map((target) => named(model, target)))}, whoever ${by.whoever}${then}`
  }
  const of = (share: number) => part(share).replace("requests", by.sharesOf)
  const shares = active.map((target) => `${named(model, target)} in ${of(target.share ?? 0)}`)
  const [last = ""] = active.slice(-1).map((target) => named(model, target))
  return `${shares.slice(0, -1).join(", ")}, else ${last}${then}`
}

const failed = (upstreams: number): string =>
  upstreams === 1 ? "if it fails" : upstreams === 2 ? "if both fail" : "if all fail"

/** `gpt-4o goes to openai in 3 of 4 requests, else azure; if both fail, to deepseek as deepseek-chat.` */
export const sentenceOf = (explanation: Explanation): string => {
  const { abridged, groups, model } = explanation
  const [first, ...others] = groups
  if (first === undefined) return `Nobody serves ${model}.`
  const isOneWay = !abridged && others.every(({ fallback }) => fallback?.chance === 1)
  const start = `${model} goes to ${firstOf(first, explanation)}`
  if (!isOneWay) return `${start}; ${failed(first.targets.length)}, to one of their fallbacks (below).`
  const rest = others.map(
    ({ targets }, at) =>
      `; ${failed(at === 0 ? first.targets.length : (others[at - 1]?.targets.length ?? 0))}, to ${either(
        targets.map((target) => named(model, target)),
      )}`,
  )
  return `${start}${rest.join("")}.`
}
