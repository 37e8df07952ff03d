/** Usage of a time and of the one just before it: what the audit is asked, and how its answer is told. */
import * as Either from "effect/Either"
import { type AuditFilter, instantText } from "../audit/read/AuditFilter.ts"
import {
  emptyTally,
  errorRate,
  type GroupStats,
  statsOf as groupStats,
  type StatsReport,
} from "../audit/read/AuditStats.ts"
import type { ReportAsked } from "../audit/read/ReadQuestion.ts"
import type { UsageQuery } from "./api/RequestQuery.ts"
import type { UsageOf, UsagePeriod, UsageReport } from "./api/UsageReport.ts"
import { filterIn, type WrongParam } from "./TextQuery.ts"

/** How long each of the two may be counted. */
const budgetMs = 4_000

const dayMs = 86_400_000

/** A filter whose time is known. */
type Timed = AuditFilter & { readonly since: number; readonly until: number }

export interface UsageAsked extends ReportAsked {
  readonly by: NonNullable<UsageQuery["by"]>
  readonly filters: readonly [now: Timed, before: Timed]
}

/** The last day, where nothing else is said. */
export const usageAsked = (query: UsageQuery, now: number): Either.Either<UsageAsked, WrongParam> =>
  Either.flatMap(filterIn(query, now), (filter): Either.Either<UsageAsked, WrongParam> => {
    const until = filter.until ?? now
    const since = filter.since ?? until - dayMs
    if (since >= until) return Either.left({ param: "since", message: "since: expected a time before until" })
    const before = Math.max(0, since - (until - since))
    return Either.right({
      filters: [
        { ...filter, since, until },
        { ...filter, since: before, until: since },
      ],
      by: query.by ?? "day",
      budgetMs,
    })
  })

const usageOf = (stats: GroupStats): UsageOf => ({
  group: stats.group ?? null,
  requests: stats.requests,
  errors: stats.errors,
  rejected: stats.rejected,
  prompt_tokens: stats.promptTokens ?? null,
  completion_tokens: stats.completionTokens ?? null,
  cached_tokens: stats.cachedTokens ?? null,
  reasoning_tokens: stats.reasoningTokens ?? null,
  latency_p50: stats.latencyP50 ?? null,
  latency_p95: stats.latencyP95 ?? null,
  ttft_p50: stats.ttftP50 ?? null,
  ttft_p95: stats.ttftP95 ?? null,
})

/** More groups than anybody reads: names of models are the callers' to invent. */
const mostGroups = 1_000

const periodOf = ({ since, until }: Timed, report: StatsReport | undefined): UsagePeriod => ({
  since: instantText(since),
  until: instantText(until),
  groups: (report?.groups ?? []).slice(0, mostGroups).map(usageOf),
  total: usageOf(report?.all ?? groupStats(undefined, emptyTally)),
  complete: report?.isComplete === true && report.groups.length <= mostGroups,
})

export const usageTold = (
  { by, filters: [now, before] }: UsageAsked,
  [report, reportBefore]: ReadonlyArray<StatsReport>,
  leftOut: ReadonlyArray<string>,
): UsageReport => ({
  by,
  now: periodOf(now, report),
  before: periodOf(before, reportBefore),
  left_out: leftOut,
})

const statsOf = (usage: UsageOf): GroupStats => ({
  group: usage.group ?? undefined,
  requests: usage.requests,
  errors: usage.errors,
  errorRate: errorRate(usage),
  rejected: usage.rejected,
  promptTokens: usage.prompt_tokens ?? undefined,
  completionTokens: usage.completion_tokens ?? undefined,
  cachedTokens: usage.cached_tokens ?? undefined,
  reasoningTokens: usage.reasoning_tokens ?? undefined,
  latencyP50: usage.latency_p50 ?? undefined,
  latencyP95: usage.latency_p95 ?? undefined,
  ttftP50: usage.ttft_p50 ?? undefined,
  ttftP95: usage.ttft_p95 ?? undefined,
})

/** The report that was told so: what `sluice audit stats` shows of a running gateway. */
export const statsReportOf = ({ complete, groups, total }: UsagePeriod): StatsReport => ({
  groups: groups.map(statsOf),
  all: statsOf(total),
  isComplete: complete,
})
