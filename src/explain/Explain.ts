/** What `sluice explain` tells: the plan of a request before anything is drawn, with every share and reason. Holds no secret. */
import * as Either from "effect/Either"
import { isSecretName } from "../config/SecretValues.ts"
import type { Snapshot } from "../config/Snapshot.ts"
import { chat } from "../operations/chat/Chat.ts"
import type { ServedOperation } from "../operations/Operations.ts"
import { conversations, translatedFrom } from "../operations/translation/Conversations.ts"
import { type Dialect, dialectFor, speaksAny, takesOf } from "../routing/Dialect.ts"
import {
  fallbackGroup,
  type Group,
  matchedGroup,
  orderOf,
  type PlanSoFar,
  targetOf,
} from "../routing/Plan.ts"
import { matchingValue } from "../routing/Route.ts"
import { shares } from "../routing/Selection.ts"
import { isStandby } from "../routing/strategies/Race.ts"
import { type Strategy, strategies } from "../routing/strategies/Strategies.ts"
import { type ModelMatch, pathAt, type Timeouts, type Upstream, urlOf } from "../routing/Upstream.ts"

export interface ExplainRequest {
  /** The model a client would ask for. */
  readonly model: string
  /** The first user message of a chat without instructions; under `deterministic` it decides the order. */
  readonly prompt: string | undefined
  /** Of which endpoint; absent: of chat completions. */
  readonly operation?: ServedOperation | undefined
}

export interface ExplainedTarget {
  readonly upstream: string
  readonly weight: number
  /** The probability, 0 to 1, to be the first of its group; undefined where the load decides. */
  readonly share: number | undefined
  /** Why it is in the group: `keyword "gpt-4"`, `exact "gpt-4o"`, `by name`. */
  readonly why: string
  readonly upstreamModel: string
  /** In which it is asked; `undefined` of what has no dialect. */
  readonly dialect: Dialect | undefined
  /** Where the endpoint is asked, without what may be a credential. */
  readonly url: string
  /** Where `upstreamModel` comes from, if it is not the model asked for or fallen back to. */
  readonly upstreamModelFrom: "its model" | "its first exact value" | undefined
  readonly key: "configured" | "caller's own" | "none"
  readonly fallback: string | undefined
  readonly timeouts: Timeouts
  /** What its calls go through, without credentials. */
  readonly proxy: string | undefined
  /** The dialects that it is expected to speak, where its entry does not say so; its answers may say otherwise. */
  readonly guessed: ReadonlyArray<Dialect> | undefined
}

/** Upstreams that are tried one after the other. */
export interface ExplainedGroup {
  /** `1`, then `2` and so on; `2a` and `2b` where one or the other follows. */
  readonly label: string
  /** The fallback that leads here; undefined for the upstreams that match the model asked for. */
  readonly fallback: ExplainedFallback | undefined
  /** In the order they are tried where that is certain, otherwise by falling share. */
  readonly targets: ReadonlyArray<ExplainedTarget>
}

export interface ExplainedFallback {
  /** The label of the group whose fallback this is. */
  readonly after: string
  /** The upstreams of that group any of which leads here, when it is the first whose fallback leads on. */
  readonly of: ReadonlyArray<string>
  /** The name in the configuration, and what it names. */
  readonly name: string
  readonly names: "upstream" | "model"
  /** The probability, 0 to 1, that group `after` is followed by this one; undefined where the load decides. */
  readonly chance: number | undefined
}

/** An upstream that would be in the plan if it spoke the dialect, or any where the request can be translated. */
export interface PassedBy {
  readonly upstream: string
  readonly dialects: ReadonlyArray<Dialect>
}

export interface Explanation {
  readonly model: string
  /** The endpoint's name, where one was asked for. */
  readonly endpoint: string | undefined
  readonly dialect: Dialect | undefined
  /** Who does not speak it is asked in another. */
  readonly isTranslated: boolean
  /** Who is passed by for want of the dialect, or of any. */
  readonly passedBy: ReadonlyArray<PassedBy>
  readonly strategy: Strategy
  /** `certain` where the order shown is the one a request gets; `unneeded` is a prompt the strategy does not look at. */
  readonly prompt: "absent" | "certain" | "unneeded"
  readonly retry: Pick<Snapshot["retry"], "rounds" | "baseDelayMs" | "maxDelayMs">
  readonly streamStart: Snapshot["streamStart"]
  /** Empty where no upstream matches; a group stands before those that follow it. */
  readonly groups: ReadonlyArray<ExplainedGroup>
  /** There are more ways for the fallbacks to go than `groups` shows. */
  readonly abridged: boolean
  /** What all upstreams match. */
  readonly served: ReadonlyArray<{ readonly upstream: string; readonly match: ModelMatch }>
}

/** More groups than anyone reads: where many upstreams have fallbacks of their own, the ways multiply with each step. */
const mostGroups = 50

/** The affinity the gateway finds in a chat of this one user message. */
const affinityOf = (prompt: string): string => {
  const body = JSON.stringify({ model: "any", messages: [{ role: "user", content: prompt }] })
  return Either.match(chat.decode(new TextEncoder().encode(body), {}), {
    onLeft: () => prompt,
    onRight: ({ affinity }) => affinity(),
  })
}

/** The explanation of what `plan` does with a request for this model. */
export const explain = (
  { routes, strategy, retry, streamStart }: Pick<Snapshot, "routes" | "strategy" | "retry" | "streamStart">,
  { model, operation, prompt }: ExplainRequest,
): Explanation => {
  const asked = operation ?? chat
  const isTranslated = translatedFrom(asked) !== undefined
  const takes = isTranslated ? speaksAny : takesOf(asked.dialect, asked.name)
  const { first: who } = strategies[strategy]
  const certain = "sharesOf" in who && who.sharesOf === "conversations" && prompt !== undefined
  const inOrder = (progress: PlanSoFar): ReadonlyArray<Upstream> =>
    certain
      ? orderOf(strategy, progress, { draws: () => 0, load: () => 0, affinity: () => affinityOf(prompt) })
      : byShare(progress.group.upstreams)

  const groups: Array<ExplainedGroup> = []
  const passedBy = new Map<string, PassedBy>()
  let abridged = false
  const visit = (label: string, fallback: ExplainedFallback | undefined, progress: PlanSoFar): void => {
    const { group, planned } = progress
    const inGroup = inOrder(progress)
    const upstreams = inGroup.filter(takes)
    if (upstreams.length > 0) {
      groups.push({
        label,
        fallback,
        targets: explainedTargets(group, upstreams, { strategy, asked: model, operation: asked }),
      })
    }
    const others = inGroup.filter((upstream) => !takes(upstream))
    for (const { dialects, name } of others) passedBy.set(name, { upstream: name, dialects })

    const leadingOf = (some: ReadonlyArray<Upstream>) =>
      some.flatMap((upstream) => {
        const next = fallbackGroup(routes, progress, upstream)
        return next === undefined ? [] : [{ upstream, next }]
      })
    const own = leadingOf(upstreams)
    const leading = own.length > 0 ? own : leadingOf(others)
    const ways = certain ? leading.slice(0, 1) : leading
    const branches = branchesOf(ways, strategy)
    for (const [index, { next, of, name, chance }] of branches.entries()) {
      if (groups.length >= mostGroups) {
        abridged = true
        return
      }
      visit(
        following(label, branches.length > 1 ? index : undefined),
        { after: label, of, name, names: next.reached, chance },
        { asked: model, planned: [...planned, next], group: next },
      )
    }
  }
  const first = matchedGroup(routes, model)
  if (first.upstreams.length > 0) visit("1", undefined, { asked: model, planned: [first], group: first })

  return {
    model,
    endpoint: operation?.name,
    dialect: asked.dialect,
    isTranslated,
    passedBy: [...passedBy.values()],
    strategy,
    prompt: prompt === undefined ? "absent" : certain ? "certain" : "unneeded",
    retry: { rounds: retry.rounds, baseDelayMs: retry.baseDelayMs, maxDelayMs: retry.maxDelayMs },
    streamStart,
    groups,
    abridged,
    served: routes.upstreams.map(({ name, match }) => ({ upstream: name, match })),
  }
}

/** The likeliest first; equals and standby upstreams as the configuration has them. */
const byShare = (upstreams: ReadonlyArray<Upstream>): ReadonlyArray<Upstream> =>
  upstreams.toSorted((a, b) => (isStandby(a) || isStandby(b) ? standbyLast(a, b) : b.weight - a.weight))

const standbyLast = (a: Upstream, b: Upstream): number => Number(isStandby(a)) - Number(isStandby(b))

/** The label after `1b` is `2b`, or `2ba`, `2bb`… where the way forks. */
const following = (label: string, fork: number | undefined): string => {
  const [, number = "", letters = ""] = /^(\d+)(.*)$/.exec(label) ?? []
  const added = fork === undefined ? "" : fork < 26 ? String.fromCharCode(97 + fork) : `(${fork + 1})`
  return `${Number(number) + 1}${letters}${added}`
}

/** A way on from a group: the next one, and the upstream whose fallback it is. */
interface Way {
  readonly upstream: Upstream
  readonly next: Group
}

interface Branch {
  readonly next: Group
  readonly name: string
  readonly of: ReadonlyArray<string>
  readonly chance: number | undefined
}

/** Those that may stand first. */
const contenders = (upstreams: ReadonlyArray<Upstream>): ReadonlyArray<Upstream> => {
  const active = upstreams.filter((upstream) => !isStandby(upstream))
  return active.length > 0 ? active : upstreams
}

/**
 * Which way is taken is decided by which of these upstreams stands first. Among some of a group that is as likely as if there were
 * no others, under either weighted strategy; a standby one is never before one that is not. The same fallback is the same way.
 */
const branchesOf = (ways: ReadonlyArray<Way>, strategy: Strategy): ReadonlyArray<Branch> => {
  const contending = contenders(ways.map(({ upstream }) => upstream))
  const possible = ways.filter(({ upstream }) => contending.includes(upstream))
  const chances = shares(possible.map(({ upstream }) => upstream))
  const branches = new Map<string, Branch>()
  for (const [index, { upstream, next }] of possible.entries()) {
    const name = upstream.fallback ?? ""
    const same = branches.get(name)
    branches.set(name, {
      next,
      name,
      of: [...(same?.of ?? []), upstream.name],
      chance: (same?.chance ?? 0) + (chances[index] ?? 0),
    })
  }
  return [...branches.values()].map((branch) => ({
    ...branch,
    chance: branches.size === 1 ? 1 : "whoever" in strategies[strategy].first ? undefined : branch.chance,
  }))
}

/** Where a path is asked, without what may be a credential: user and password, and the values of the query. */
export const addressOf = (upstream: Upstream, path: string): string => {
  const { origin, pathname, searchParams } = new URL(urlOf(upstream, path))
  const names = [...searchParams.keys()]
  return `${origin}${pathname}${names.map((name, at) => `${at === 0 ? "?" : "&"}${name}=…`).join("")}`
}

const hasOwnKey = ({ apiKey, headers }: Upstream): boolean =>
  apiKey !== undefined || Object.keys(headers).some(isSecretName)

/** What an upstream is asked for of an operation: that of the dialect in which it is asked. */
const askedAt = (operation: ServedOperation, { dialects }: Upstream): ServedOperation => {
  const from = translatedFrom(operation)
  const dialect = from === undefined ? undefined : dialectFor(from, dialects)
  return dialect === undefined ? operation : conversations[dialect]
}

const explainedTargets = (
  group: Group,
  upstreams: ReadonlyArray<Upstream>,
  {
    asked,
    operation,
    strategy,
  }: { readonly asked: string; readonly operation: ServedOperation; readonly strategy: Strategy },
): ReadonlyArray<ExplainedTarget> => {
  const parts = shares(upstreams)
  const contending = contenders(upstreams)
  const byLoad = "whoever" in strategies[strategy].first && contending.length > 1
  return upstreams.map((upstream, index) => {
    const { upstreamModel } = targetOf(upstream, group)
    const at = askedAt(operation, upstream)
    return {
      upstream: upstream.name,
      weight: upstream.weight,
      share: byLoad && contending.includes(upstream) ? undefined : parts[index],
      why: whyIn(group, upstream),
      upstreamModel,
      dialect: at.dialect,
      url: addressOf(upstream, pathAt(upstream, at)),
      upstreamModelFrom:
        upstream.model !== undefined
          ? "its model"
          : group.reached === "upstream" && upstreamModel !== asked
            ? "its first exact value"
            : undefined,
      key: hasOwnKey(upstream) ? "configured" : upstream.passesKey ? "caller's own" : "none",
      fallback: upstream.fallback,
      timeouts: upstream.timeouts,
      proxy: upstream.proxy?.shown,
      guessed: upstream.dialectsAssumed ? upstream.dialects : undefined,
    }
  })
}

const whyIn = (group: Group, { match }: Upstream): string => {
  if (group.reached === "upstream") return "by name"
  const value = matchingValue(match, group.model)
  return value === undefined ? match.type : `${match.type} ${JSON.stringify(value)}`
}
