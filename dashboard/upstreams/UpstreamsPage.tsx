/** The clients of the configuration: how each is, how fast, and why one is not asked. */
import type { RecentAttempts, UpstreamTold } from "../../src/admin/api/UpstreamReport.ts"
import { upstreams } from "../api/Admin.ts"
import { useAnswer } from "../api/Asking.ts"
import { Ago } from "../look/Ago.tsx"
import { Empty, Trouble } from "../look/Notice.tsx"
import { useNow } from "../look/Now.ts"
import { fragmentOf, type Route } from "../route/Route.ts"
import { counted, duration, exact, percent } from "../words/Numbers.ts"
import { timeOfDay } from "../words/Times.ts"
import { ExplainBox } from "./ExplainBox.tsx"
import { reasonOf, toneOf, wordOf } from "./Standing.ts"

const againMs = () => 2_000

const Quantiles = ({ p50, p95 }: { readonly p50: number | null; readonly p95: number | null }) =>
  p50 === null ? (
    <span class="muted">–</span>
  ) : (
    <>
      {duration(p50)} <span class="muted">/</span> {p95 === null ? "–" : duration(p95)}
    </>
  )

const Recently = ({ name, recent }: { readonly name: string; readonly recent: RecentAttempts }) => (
  <tr>
    <th scope="row">{name}</th>
    <td class="num">{exact(recent.attempts)}</td>
    <td class={`num ${recent.errors > 0 ? "bad" : ""}`}>
      {recent.errors === 0 ? "0" : `${exact(recent.errors)} (${percent(recent.errors, recent.attempts)})`}
    </td>
    <td class="num">
      <Quantiles p50={recent.ttft_p50} p95={recent.ttft_p95} />
    </td>
    <td class="num">
      <Quantiles p50={recent.latency_p50} p95={recent.latency_p95} />
    </td>
  </tr>
)

/** When it is asked in its turn again. Nothing asks it before a request comes. */
const AskedAgain = ({ at }: { readonly at: string }) =>
  Date.parse(at) <= useNow() ? (
    <> It is asked again with the next request.</>
  ) : (
    <>
      {" Asked again "}
      <Ago at={at} />.
    </>
  )

/** Why it is set aside, since when, and when it is asked again. */
const SetAside = ({ one }: { readonly one: UpstreamTold }) =>
  one.state === "closed" ? null : (
    <p class={one.state === "open" ? "bad" : "warn"}>
      {one.state === "open" ? "Set aside" : "Being probed"}
      {one.since !== null && (
        <>
          {` since ${timeOfDay(one.since, Date.now())}, `}
          <Ago at={one.since} />
        </>
      )}
      {`: ${reasonOf(one.reason)}.`}
      {one.state === "open" && one.probe_at !== null && <AskedAgain at={one.probe_at} />}
    </p>
  )

const Models = ({ one }: { readonly one: UpstreamTold }) => (
  <ul class="changes">
    {one.models.map(({ model, probe_at: at, reason }) => (
      <li key={model} class="warn">
        <b class="code">{model}</b>
        {` is set aside: ${reasonOf(reason)}.`}
        {at !== null && <AskedAgain at={at} />}
      </li>
    ))}
    {one.lacks.map(({ answered, dialect, until }) => (
      <li key={dialect} class="muted">
        {`Does not speak ${dialect}: it answered ${answered}. Tried again `}
        <Ago at={until} />.
      </li>
    ))}
  </ul>
)

const LastError = ({ one }: { readonly one: UpstreamTold }) =>
  one.last_error === null ? null : (
    <p class="last-error">
      <span class="muted">
        Last failure <Ago at={one.last_error.at} />:
      </span>{" "}
      {one.last_error.status !== null && <b class="num">{one.last_error.status} </b>}
      {one.last_error.cause}
    </p>
  )

const matchOf = ({ match }: UpstreamTold): string => `${match.type} ${match.values.join(", ")}`

const Load = ({ one }: { readonly one: UpstreamTold }) => (
  <dl class="facts">
    <div>
      <dt>under way</dt>
      <dd class="num">{one.slots === null ? one.in_flight : `${one.in_flight} of ${one.slots}`}</dd>
    </div>
    {one.waiting > 0 && (
      <div>
        <dt>waiting</dt>
        <dd class="num warn">{one.waiting}</dd>
      </div>
    )}
    <div>
      <dt>priority</dt>
      <dd class="num">{one.priority}</dd>
    </div>
    <div>
      <dt>models</dt>
      <dd class="code">{matchOf(one)}</dd>
    </div>
    {one.dialects.length > 0 && (
      <div>
        <dt>{one.dialects_assumed ? "dialects, as assumed" : "dialects"}</dt>
        <dd>{one.dialects.join(", ")}</dd>
      </div>
    )}
    {one.fallback !== null && (
      <div>
        <dt>fallback</dt>
        <dd>{one.fallback}</dd>
      </div>
    )}
    {one.openings_total > 0 && (
      <div>
        <dt>set aside so far</dt>
        <dd class="num">{counted(one.openings_total, "time")}</dd>
      </div>
    )}
  </dl>
)

const Upstream = ({ one }: { readonly one: UpstreamTold }) => (
  <li class={`card upstream is-${toneOf(one)}`}>
    <header>
      <h2>
        <a href={fragmentOf({ page: "requests", filters: { upstream: one.name } })} title="Its requests">
          {one.name}
        </a>
      </h2>
      <span class="muted code">{one.host}</span>
      <span class={`state ${toneOf(one)}`}>
        <span class="dot" aria-hidden="true" />
        {wordOf(one)}
      </span>
    </header>
    <SetAside one={one} />
    <Models one={one} />
    <table class="recent">
      <thead>
        <tr>
          <th scope="col">Last</th>
          <th scope="col" class="num">
            Asked
          </th>
          <th scope="col" class="num">
            Failed
          </th>
          <th scope="col" class="num">
            <abbr title="Time to the first content: the median, and what 19 of 20 stay under">
              First<span class="unit">, p50 / p95</span>
            </abbr>
          </th>
          <th scope="col" class="num">
            <abbr title="Time of an attempt: the median, and what 19 of 20 stay under">
              Total<span class="unit">, p50 / p95</span>
            </abbr>
          </th>
        </tr>
      </thead>
      <tbody>
        <Recently name="5 min" recent={one.last_5m} />
        <Recently name="1 hour" recent={one.last_1h} />
      </tbody>
    </table>
    <LastError one={one} />
    <Load one={one} />
  </li>
)

export const UpstreamsPage = ({ route }: { readonly route: Route }) => {
  const { problem, value } = useAnswer(upstreams, {}, againMs)
  return (
    <div class="page">
      {problem !== undefined && <Trouble title={problem.message} />}
      <ExplainBox key={JSON.stringify(route.filters)} set={route.filters} />
      {value?.upstreams.length === 0 && (
        <Empty title="No client is configured.">
          <p>Add one to openai_clients of the configuration.</p>
        </Empty>
      )}
      <ul class="upstreams">
        {value?.upstreams.map((one) => (
          <Upstream key={one.name} one={one} />
        ))}
      </ul>
    </div>
  )
}
