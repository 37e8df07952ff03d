/** What is measured of whom: the loads, and the figures that are told of each. */
import { chat } from "./Bodies.ts"
import type { Figure, LoadPlan } from "./Figures.ts"
import {
  direct,
  floor,
  idle,
  type MakeSubject,
  nginx,
  portkey,
  type SluiceOptions,
  sluice,
  weighedFloor,
} from "./Subjects.ts"
import { scraped, watched } from "./Watched.ts"

export interface Scenario extends Pick<LoadPlan, "kind" | "connections" | "rampMs" | "warmMs"> {
  readonly name: string
  /** What it shows, for the report. */
  readonly words: string
  readonly behaviour: string
  readonly body: (model: string) => string
  readonly subjects: ReadonlyArray<MakeSubject>
  readonly figures: ReadonlyArray<Figure>
  /** How long each subject is loaded before the first round. */
  readonly heatMs: number
  /** What it is loaded with before that, as fast as it takes it. */
  readonly firstHeat?: {
    readonly behaviour: string
    readonly connections: number
    readonly heatMs: number
  }
  readonly measureMs?: number
  readonly rounds?: number
}

/** Sluice, asked for a vector of so many numbers. */
const embedding = (dimensions: number): MakeSubject =>
  sluice({
    name: `Sluice, a vector of ${dimensions.toLocaleString("en-US")} numbers`,
    asks: {
      path: "/v1/embeddings",
      body: () =>
        JSON.stringify({
          model: `embedding-${dimensions}`,
          input: "Tell me more. ".repeat(30),
          dimensions,
          encoding_format: "base64",
        }),
    },
  })

const shipped = sluice({ name: "Sluice" })
const cleaned = sluice({
  name: "Sluice, prefix + strip",
  entry: { special_prefix: "Note: ", thinking_format: "strip" },
})
const words = "Tell me more. ".repeat(20)

/** Streams of each conversation dialect. */
const streamed: ReadonlyArray<NonNullable<SluiceOptions["asks"]> & { readonly dialect: string }> = [
  { dialect: "chat", path: "/v1/chat/completions", body: chat(500, true) },
  {
    dialect: "messages",
    path: "/v1/messages",
    body: (model) =>
      JSON.stringify({
        model,
        max_tokens: 1_024,
        stream: true,
        system: "You are a helpful assistant.",
        messages: [{ role: "user", content: words }],
      }),
  },
  {
    dialect: "responses",
    path: "/v1/responses",
    body: (model) =>
      JSON.stringify({ model, stream: true, instructions: "You are a helpful assistant.", input: words }),
  },
]

/** Sluice asked in each dialect, and each again with these members. */
const ofEachDialect = (
  changes: Readonly<Record<string, SluiceOptions["entry"]>>,
): ReadonlyArray<MakeSubject> =>
  Object.entries({ "": {}, ...changes }).flatMap(([change, entry]) =>
    streamed.map(({ dialect, ...asks }) =>
      sluice({
        name: change === "" ? dialect : `${dialect}, ${change}`,
        asks,
        entry: { dialects: ["chat", "messages", "responses"], ...entry },
      }),
    ),
  )

/** Sluice asked in each dialect, in front of an upstream that speaks it, and in front of those that speak another alone. */
const ofEachPair = (tells?: "memory"): ReadonlyArray<MakeSubject> =>
  streamed.flatMap(({ dialect, ...asks }) =>
    streamed
      .toSorted((one, other) => Number(other.dialect === dialect) - Number(one.dialect === dialect))
      .map(({ dialect: spoken }) =>
        sluice({
          name: spoken === dialect ? dialect : `${dialect} out of ${spoken}`,
          asks,
          entry: { dialects: [spoken] },
          ...(tells === undefined ? {} : { tells }),
        }),
      ),
  )

const everyone = [direct, floor, shipped, cleaned, portkey, nginx]

const plain = { kind: "plain", behaviour: "plain", rampMs: 0, warmMs: 500, heatMs: 15_000 } as const
const stream = { kind: "stream", rampMs: 300, warmMs: 1_500, heatMs: 10_000 } as const

export const scenarios: ReadonlyArray<Scenario> = [
  {
    ...plain,
    name: "plain, 64 connections",
    words: "Requests of 500 bytes, one after the other on each of 64 connections.",
    body: chat(500),
    connections: 64,
    subjects: everyone,
    figures: ["cpuPerRequest", "requestsPerSecond", "p50", "p99", "peakMb"],
  },
  {
    ...plain,
    name: "plain, one connection",
    words: "The same on one connection: what a request is delayed where nothing else is under way.",
    body: chat(500),
    connections: 1,
    subjects: everyone,
    figures: ["p50", "p99", "cpuPerRequest"],
    heatMs: 10_000,
  },
  {
    ...stream,
    name: "32 streams, unpaced",
    words:
      "Streams of 200 events, as fast as they are taken, 32 at once. Buffers join here, so that an event costs less than it does in real traffic.",
    behaviour: "burst-200",
    body: chat(500, true),
    connections: 32,
    subjects: everyone,
    figures: ["cpuPerEvent", "eventsPerSecond", "first50", "first99"],
  },
  {
    ...stream,
    name: "200 streams, an event every 20 ms",
    words:
      "As real traffic looks: each event is read and written on its own. Before, each subject was given streams of four events, as fast as it took them, for 15 s, and these for 10 s.",
    behaviour: "paced-20-100",
    body: chat(500, true),
    connections: 200,
    // Over a stream's whole time, so that they do not all begin at once again and again.
    rampMs: 2_000,
    // Of what begins and ends a hundred times a second a compiler sees in a minute what it sees of requests in two seconds.
    firstHeat: { behaviour: "burst-4", connections: 64, heatMs: 15_000 },
    heatMs: 10_000,
    subjects: everyone,
    figures: ["cpuPerEvent", "first50", "first99", "peakMb"],
  },
  {
    ...stream,
    name: "dialects, 32 streams, unpaced",
    words: "Streams of 200 events in each dialect, 32 at once: what an event costs beside one of a chat.",
    behaviour: "burst-200",
    body: chat(500, true),
    connections: 32,
    subjects: ofEachDialect({
      prefix: { special_prefix: "Note: " },
      "prefix + strip": { special_prefix: "Note: ", thinking_format: "strip" },
    }),
    figures: ["cpuPerEvent", "eventsPerSecond"],
  },
  {
    ...stream,
    name: "dialects, 200 streams, an event every 20 ms",
    words: "The same as real traffic looks.",
    behaviour: "paced-20-100",
    body: chat(500, true),
    connections: 200,
    rampMs: 2_000,
    firstHeat: { behaviour: "burst-4", connections: 64, heatMs: 10_000 },
    subjects: ofEachDialect({}),
    figures: ["cpuPerEvent", "first50", "peakMb"],
  },
  {
    ...stream,
    name: "dialects translated, 32 streams, unpaced",
    words:
      "Streams of 200 events asked for in one dialect of an upstream that speaks another, beside untouched ones of each.",
    behaviour: "burst-200",
    body: chat(500, true),
    connections: 32,
    subjects: [floor, ...ofEachPair()],
    figures: ["cpuPerEvent", "eventsPerSecond"],
  },
  {
    ...stream,
    name: "dialects translated, 200 streams, an event every 20 ms",
    words: "The same as real traffic looks.",
    behaviour: "paced-20-100",
    body: chat(500, true),
    connections: 200,
    rampMs: 2_000,
    firstHeat: { behaviour: "burst-4", connections: 64, heatMs: 10_000 },
    subjects: [floor, ...ofEachPair()],
    figures: ["cpuPerEvent", "first50", "peakMb"],
  },
  {
    ...stream,
    name: "dialects translated, 1,000 streams, an event every 100 ms",
    words:
      "What many slow ones cost and hold. A stream holds what is in the heap and beside it, after a collection, beyond what was there before the first of them.",
    behaviour: "paced-100-600",
    body: chat(500, true),
    connections: 1_000,
    rampMs: 2_000,
    measureMs: 5_000,
    rounds: 3,
    subjects: [weighedFloor, ...ofEachPair("memory")],
    figures: ["cpuPerEvent", "heldKb", "peakMb"],
    heatMs: 4_000,
  },
  {
    ...stream,
    name: "one stream",
    words:
      "Streams of 20 events one after the other: the time to the first event where nothing else is under way.",
    behaviour: "burst-20",
    body: chat(500, true),
    connections: 1,
    subjects: everyone,
    figures: ["first50", "first99"],
  },
  {
    ...stream,
    name: "1,000 streams, an event every 100 ms",
    words: "Many slow streams at once.",
    behaviour: "paced-100-600",
    body: chat(500, true),
    connections: 1_000,
    rampMs: 2_000,
    measureMs: 5_000,
    rounds: 3,
    subjects: everyone,
    figures: ["cpuSeconds", "cpuPerEvent", "peakMb"],
    heatMs: 4_000,
  },
  {
    ...plain,
    name: "requests of 100 KB",
    words: "16 connections.",
    body: chat(100_000),
    connections: 16,
    subjects: [direct, floor, shipped, portkey, nginx],
    figures: ["cpuPerRequest", "requestsPerSecond", "p50", "peakMb"],
    heatMs: 6_000,
  },
  {
    ...plain,
    name: "requests of 5 MB",
    words: "2 connections.",
    body: chat(5_000_000),
    connections: 2,
    subjects: [direct, floor, shipped, portkey, nginx],
    figures: ["cpuPerRequest", "requestsPerSecond", "p50", "peakMb"],
    heatMs: 5_000,
  },
  {
    ...plain,
    name: "embeddings",
    words:
      "As the first, beside requests of the same length for a vector in base64. One of 256 numbers is about as long as the answer of a chat; of a longer one the audit keeps more bytes.",
    body: chat(500),
    connections: 64,
    subjects: [floor, shipped, embedding(256), embedding(1_536)],
    figures: ["cpuPerRequest", "requestsPerSecond", "p50"],
  },
  {
    ...plain,
    name: "1,000 upstreams",
    words: "As the first, with a thousand further entries in the configuration.",
    body: chat(500),
    connections: 64,
    subjects: [
      floor,
      shipped,
      sluice({
        name: "Sluice, 1,000 upstreams",
        others: (mockPort) =>
          Array.from({ length: 1_000 }, (_, at) => ({
            name: `other-${at}`,
            base_url: `http://127.0.0.1:${mockPort}/plain/v1`,
            api_key: "sk-bench",
            model_match: { type: at % 2 === 0 ? "keyword" : "exact", value: [`other-model-${at}`] },
          })),
      }),
    ],
    figures: ["cpuPerRequest", "p50", "peakMb"],
  },
  {
    ...plain,
    name: "after two minutes under load",
    words:
      "As the first, beside a process that has served all it could for two minutes, with its records in the audit.",
    body: chat(500),
    connections: 64,
    subjects: [floor, shipped, sluice({ name: "Sluice, after two minutes under load", heatTimes: 8 })],
    figures: ["cpuPerRequest", "p50", "peakMb"],
  },
  {
    ...plain,
    name: "5,000 idle connections",
    words: "As the first, beside five thousand connections that wait for their next request.",
    body: chat(500),
    connections: 64,
    subjects: [floor, shipped, sluice({ name: "Sluice, 5,000 idle connections", beside: idle(5_000) })],
    figures: ["cpuPerRequest", "p50", "peakMb"],
  },
  {
    ...plain,
    name: "watched",
    words:
      "As the first, beside processes that are watched: their metrics are scraped each second, their log goes to files too, each request has spans that go to a collector, or one in ten has, and somebody looks at requests as they finish.",
    body: chat(500),
    connections: 64,
    subjects: watched,
    figures: ["cpuPerRequest", "p50", "p99", "holdMs", "peakMb"],
  },
  {
    ...plain,
    name: "scrapes of 1,000 pairs of model and client",
    words: "Requests as in the first, while a page of metrics of some megabytes is asked for each second.",
    body: chat(500),
    connections: 64,
    subjects: scraped,
    figures: ["cpuPerRequest", "p50", "p99", "holdMs", "peakMb"],
  },
  {
    ...plain,
    name: "10 upstreams that fail one in five",
    words:
      "Ten entries for one model, each fifth answer of all of them a 503: attempts, fallbacks and warnings in the log.",
    behaviour: "fail-5",
    body: chat(500),
    connections: 64,
    subjects: [
      floor,
      shipped,
      sluice({
        name: "Sluice, 10 upstreams",
        others: (mockPort) =>
          Array.from({ length: 9 }, (_, at) => ({
            name: `also-${at}`,
            base_url: `http://127.0.0.1:${mockPort}/fail-5/v1`,
            api_key: "sk-bench",
            model: "gpt-4o",
            model_match: { type: "exact", value: ["fail-5"] },
          })),
      }),
    ],
    figures: ["cpuPerRequest", "p50", "p99"],
  },
  {
    ...plain,
    name: "all cores",
    words:
      "`WORKERS=auto` on all cores, beside one process on all cores. The mock and the load take cores as well, so on a small machine this shows what a request costs, not how far it scales.",
    body: chat(500),
    connections: 64,
    subjects: [
      sluice({ name: "Sluice, one process", unpinned: true }),
      sluice({ name: "Sluice, WORKERS=auto", unpinned: true, env: () => ({ WORKERS: "auto" }) }),
    ],
    figures: ["cpuPerRequest", "requestsPerSecond", "p50", "peakMb"],
  },
  {
    ...stream,
    name: "9,900 streams, an event every 2 s",
    words:
      "On one process; each takes two descriptors, of which a process has 20,000 where this was measured.",
    behaviour: "paced-2000-600",
    body: chat(500, true),
    connections: 9_900,
    rampMs: 20_000,
    warmMs: 3_000,
    measureMs: 6_000,
    rounds: 1,
    subjects: [floor, shipped],
    figures: ["cpuSeconds", "peakMb"],
    heatMs: 500,
  },
]

export const behavioursOf = (all: ReadonlyArray<Scenario>): ReadonlyArray<string> => [
  ...new Set([
    // Asked for by subjects of their own.
    "embedding-256",
    "embedding-1536",
    ...all.flatMap(({ behaviour, firstHeat }) => [
      behaviour,
      ...(firstHeat === undefined ? [] : [firstHeat.behaviour]),
    ]),
  ]),
]

export type { MakeSubject }
