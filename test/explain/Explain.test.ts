import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Snapshot } from "../../src/config/Snapshot.ts"
import { type ExplainedGroup, type Explanation, explain } from "../../src/explain/Explain.ts"
import { sentenceOf } from "../../src/explain/ExplainSentence.ts"
import { render, renderNow } from "../../src/explain/ExplainText.ts"
import { chat } from "../../src/operations/chat/Chat.ts"
import { operations, type ServedOperation } from "../../src/operations/Operations.ts"
import { dialects, speaksAny } from "../../src/routing/Dialect.ts"
import { drawsFrom } from "../../src/routing/Draws.ts"
import { plan } from "../../src/routing/Plan.ts"
import { makeRoutingTable } from "../../src/routing/Route.ts"
import { type Strategy, strategyNames } from "../../src/routing/strategies/Strategies.ts"
import type { Target, Upstream } from "../../src/routing/Upstream.ts"
import { askedIn, KnownDialects } from "../../src/upstream/Dialects.ts"
import {
  containing,
  exactly,
  makeUpstream,
  modelArb,
  readmeUpstreams,
  upstreamsArb,
} from "../support/arbitraries.ts"
import { goodnessOfFit, implausible } from "../support/chiSquare.ts"
import { runs } from "../support/Runs.ts"

type Explained = Pick<Snapshot, "routes" | "strategy" | "retry" | "streamStart">

const snapshotOf = (upstreams: ReadonlyArray<Upstream>, strategy: Strategy = "random"): Explained => ({
  routes: makeRoutingTable(upstreams),
  strategy,
  retry: { rounds: 2, baseDelayMs: 200, maxDelayMs: 5_000, retryOn: () => true },
  streamStart: "first_event",
})

/** Who speaks chat, as explained without an endpoint. */
const chatting = (upstream: Upstream): Upstream => ({ ...upstream, dialects: ["chat"] })

const explained = (
  upstreams: ReadonlyArray<Upstream>,
  model: string,
  strategy: Strategy = "random",
  prompt?: string,
): Explanation => explain(snapshotOf(upstreams, strategy), { model, prompt })

/** The plan of the request of that number, by the gateway's own way to the affinity of a prompt. */
const planned = (
  snapshot: Explained,
  model: string,
  number: number,
  prompt: string,
): ReadonlyArray<Target> => {
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: prompt }] })
  const request = Either.getOrThrow(chat.decode(new TextEncoder().encode(body), {}))
  return plan(
    snapshot,
    { model, affinity: request.affinity, takes: speaksAny },
    { draws: drawsFrom(number), load: (name) => (name.length * 7 + number) % 5 },
  )
}

const pair = (upstream: string, model: string): string => JSON.stringify([upstream, model])
const pairsOf = (targets: ReadonlyArray<Target>): ReadonlyArray<string> =>
  targets.map(({ upstream, upstreamModel }) => pair(upstream.name, upstreamModel))
const pairsIn = ({ targets }: ExplainedGroup): ReadonlyArray<string> =>
  targets.map(({ upstream, upstreamModel }) => pair(upstream, upstreamModel))

/** The same in any order; `expect` itself is too slow for every plan of thousands. */
const expectSame = (some: ReadonlyArray<string>, others: ReadonlyArray<string>): void => {
  const [a, b] = [some.toSorted(), others.toSorted()]
  if (a.join() !== b.join()) expect(a).toEqual(b)
}

/** The groups that a plan went through; fails where the plan is none of those explained. */
const walk = (
  { groups }: Explanation,
  targets: ReadonlyArray<Target>,
): ReadonlyArray<readonly [group: ExplainedGroup, part: ReadonlyArray<Target>]> => {
  const way: Array<readonly [ExplainedGroup, ReadonlyArray<Target>]> = []
  let rest = targets
  let group = groups[0]
  while (group !== undefined) {
    const { label } = group
    const part = rest.slice(0, group.targets.length)
    expectSame(pairsOf(part), pairsIn(group))
    way.push([group, part])
    rest = rest.slice(part.length)
    const next = groups.filter(({ fallback }) => fallback?.after === label)
    const leading = part.find(({ upstream }) =>
      next.some(({ fallback }) => fallback?.of.includes(upstream.name)),
    )
    group = next.find(({ fallback }) => leading !== undefined && fallback?.of.includes(leading.upstream.name))
    if (next.length > 0 && group === undefined) expect.fail("no group follows where one was announced")
  }
  expect(rest).toEqual([])
  return way
}

const shared = [
  makeUpstream({
    name: "azure",
    weight: 3,
    match: containing("gpt-4"),
    model: "gpt-4o-2024-11-20",
    fallback: "llama-3",
  }),
  makeUpstream({
    name: "openai",
    weight: 1,
    match: exactly("gpt-4o", "gpt-4"),
    apiKey: undefined,
    fallback: "spare",
  }),
  makeUpstream({ name: "reserve", weight: 0, match: containing("gpt") }),
  makeUpstream({ name: "local", weight: 2, match: exactly("llama-3") }),
  makeUpstream({ name: "spare", match: exactly("mixtral") }),
]

/** Who goes first in the second group must not depend on who did in the first, though they are the same two. */
const overlapping = [
  makeUpstream({ name: "a", match: exactly("m", "n", "o"), fallback: "n" }),
  makeUpstream({ name: "b", match: exactly("m", "n", "o"), fallback: "o", weight: 2 }),
]

describe("explain", () => {
  it("takes a key among the headers for the upstream's own", () => {
    const keyOf = (given: Partial<Upstream>) =>
      explained([makeUpstream({ apiKey: undefined, ...given })], "gpt-4").groups[0]?.targets[0]?.key
    expect(keyOf({ headers: { "x-goog-api-key": "k" }, passesKey: false })).toBe("configured")
    expect(keyOf({ headers: { "x-custom": "k" } })).toBe("caller's own")
    expect(keyOf({ passesKey: false })).toBe("none")
  })

  it("tells share, reason, model, key and timeouts of each upstream", () => {
    expect(explained(shared, "gpt-4o").groups[0]?.targets).toEqual([
      {
        upstream: "azure",
        weight: 3,
        share: 0.75,
        why: 'keyword "gpt-4"',
        upstreamModel: "gpt-4o-2024-11-20",
        upstreamModelFrom: "its model",
        key: "configured",
        fallback: "llama-3",
        dialect: "chat",
        proxy: undefined,
        url: "http://127.0.0.1:9/v1/chat/completions",
        timeouts: {
          connectMs: 10_000,
          firstByteMs: 300_000,
          answerMs: 600_000,
          idleMs: 300_000,
          totalMs: 1_800_000,
        },
      },
      expect.objectContaining({
        upstream: "openai",
        share: 0.25,
        why: 'exact "gpt-4o"',
        upstreamModel: "gpt-4o",
        upstreamModelFrom: undefined,
        key: "caller's own",
        fallback: "spare",
      }),
      expect.objectContaining({ upstream: "reserve", weight: 0, share: 0, why: 'keyword "gpt"' }),
    ])
  })

  describe("where clients speak several dialects", () => {
    const paths = { messages: "//anthropic/v1/messages" }
    const upstreams = [
      makeUpstream({ name: "chatting", dialects: ["chat"], fallback: "spare" }),
      makeUpstream({ name: "claude", dialects: ["messages", "chat"], paths, query: "?key=sk-x" }),
      makeUpstream({ name: "mute", dialects: [] }),
      makeUpstream({ name: "spare", match: exactly("x"), dialects: ["responses"] }),
    ]
    const of = (operation: ServedOperation | undefined, those = upstreams) =>
      explain(snapshotOf(those), { model: "gpt-4", prompt: undefined, operation })

    it("says in which one each is asked, and where, for any endpoint of conversations and for none named", () => {
      const toldOf = (operation?: ServedOperation) =>
        of(operation).groups.map(({ targets }) => targets.map(({ dialect, url }) => [dialect, url]))
      const [at, query] = ["http://127.0.0.1:9", "?key=…"]
      expect(toldOf(operations.messages)).toEqual([
        [
          ["chat", `${at}/v1/chat/completions`],
          ["messages", `${at}/anthropic/v1/messages${query}`],
        ],
        [["responses", `${at}/v1/responses`]],
      ])
      expect(toldOf(operations.responses)).toEqual([
        [
          ["chat", `${at}/v1/chat/completions`],
          ["messages", `${at}/anthropic/v1/messages${query}`],
        ],
        [["responses", `${at}/v1/responses`]],
      ])
      expect(toldOf()).toEqual([
        [
          ["chat", `${at}/v1/chat/completions`],
          ["chat", `${at}/v1/chat/completions${query}`],
        ],
        [["responses", `${at}/v1/responses`]],
      ])
      expect(render(of(undefined))).toMatch(/asked in[\s\S]*chatting.* chat\n[\s\S]*spare.* responses$/m)
    })

    it("has no column for it where all are asked as the caller asks", () => {
      expect(render(of(undefined, upstreams.slice(1, 2)))).not.toContain("asked in")
      expect(render(of(operations.embeddings))).not.toContain("asked in")
    })

    it("leaves out who speaks none, and says so", () => {
      expect(of(operations.messages).passedBy).toEqual([{ upstream: "mute", dialects: [] }])
      expect(render(of(operations.messages))).toContain(
        "left out, as they do not speak any conversation dialect",
      )
      expect(render(of(operations.messages, upstreams.slice(2, 3)))).toContain(
        'Nobody who serves "gpt-4" speaks a conversation dialect',
      )
      expect(of(operations.embeddings).passedBy).toEqual([])
    })

    it("leaves out who does not speak the dialect of what is not translated", () => {
      const counted = of(operations["messages.count_tokens"])
      expect(counted.groups.map(({ targets }) => targets.map(({ share, url }) => [share, url]))).toEqual([
        [[1, `http://127.0.0.1:9/anthropic/v1/messages/count_tokens?key=…`]],
      ])
      expect(counted.passedBy.map(({ upstream }) => upstream)).toEqual(["chatting", "mute", "spare"])
      expect(render(counted)).toContain("left out, as they do not speak messages")
      expect(render(of(operations["responses.compact"], upstreams.slice(0, 2)))).toContain(
        'Nobody who serves "gpt-4" speaks responses',
      )
    })
  })

  it("law: every planned target is one of those explained, in the dialect that is explained, and no other", () => {
    fc.assert(
      fc.property(
        upstreamsArb(),
        modelArb,
        fc.constantFrom(...dialects),
        fc.nat(),
        (upstreams, model, dialect, seed) => {
          const operation = operations[dialect === "chat" ? "chat.completions" : dialect]
          const snapshot = snapshotOf(upstreams)
          const { groups } = explain(snapshot, { model, prompt: undefined, operation })
          const steps = groups.flatMap(({ targets }) => targets)
          const told = new Set(
            steps.map((step) => JSON.stringify([step.upstream, step.upstreamModel, step.dialect])),
          )
          const known = new KnownDialects(() => 0)
          const targets = plan(
            snapshot,
            { model, affinity: () => "", takes: speaksAny },
            { draws: drawsFrom(seed), load: () => 0 },
          ).map((target) => askedIn(dialect, target, known))
          for (const { dialect: its = dialect, upstream, upstreamModel } of targets) {
            expect(told).toContain(JSON.stringify([upstream.name, upstreamModel, its]))
          }
          expect(told.size === 0).toBe(targets.length === 0)
        },
      ),
    )
  })

  it("tells which fallback follows how often, where that depends on the draw", () => {
    expect(explained(shared, "gpt-4o").groups.map(({ label, fallback }) => [label, fallback])).toEqual([
      ["1", undefined],
      ["2a", { after: "1", of: ["azure"], name: "llama-3", names: "model", chance: 0.75 }],
      ["2b", { after: "1", of: ["openai"], name: "spare", names: "upstream", chance: 0.25 }],
    ])
  })

  it("joins those who share a fallback, and leaves out one that a standby upstream cannot come to", () => {
    const upstreams = [
      makeUpstream({ name: "a", weight: 1, fallback: "x" }),
      makeUpstream({ name: "b", weight: 2, fallback: "x" }),
      makeUpstream({ name: "c", weight: 7 }),
      makeUpstream({ name: "d", weight: 0, fallback: "y" }),
      makeUpstream({ name: "x", match: exactly("x") }),
      makeUpstream({ name: "y", match: exactly("y") }),
    ]
    expect(explained(upstreams, "gpt").groups.map(({ fallback }) => fallback)).toEqual([
      undefined,
      { after: "1", of: ["b", "a"], name: "x", names: "upstream", chance: 1 },
    ])
  })

  it("gives no share where the load decides", () => {
    const [first, second] = explained(shared, "gpt-4o", "least_connections").groups
    expect(first?.targets.map(({ share }) => share)).toEqual([undefined, undefined, 0])
    expect(second?.fallback?.chance).toBeUndefined()
    expect(second?.targets.map(({ share }) => share)).toEqual([1])
  })

  it("says that no upstream matches by having no group", () => {
    expect(explained(readmeUpstreams, "claude").groups).toEqual([])
  })

  it("is abridged rather than endless where fallbacks multiply", () => {
    const upstreams = Array.from({ length: 40 }, (_, i) =>
      makeUpstream({ name: `u${i}`, match: exactly("m", `m${i}`), fallback: `m${(i * 7 + 1) % 40}` }),
    )
    const explanation = explained(upstreams, "m")
    expect(explanation.abridged).toBe(true)
    expect(explanation.groups.length).toBe(50)
    expect(render(explanation)).toContain("There are more ways for the fallbacks to go than are shown here.")
  })

  const requestArb = fc.record({
    upstreams: upstreamsArb({ minLength: 2 }),
    model: modelArb,
    strategy: fc.constantFrom(...strategyNames),
    prompt: fc.fullUnicodeString(),
    number: fc.nat(),
  })

  it("law: every plan is one of those explained", () => {
    fc.assert(
      fc.property(requestArb, ({ upstreams, model, strategy, prompt, number }) => {
        const snapshot = snapshotOf(upstreams.map(chatting), strategy)
        const explanation = explain(snapshot, { model, prompt: undefined })
        fc.pre(!explanation.abridged)
        walk(explanation, planned(snapshot, model, number, prompt))
      }),
      { numRuns: runs(300) },
    )
  })

  it("law: with a prompt, deterministic is explained in the very order of the plan", () => {
    fc.assert(
      fc.property(requestArb, ({ upstreams, model, prompt, number }) => {
        const snapshot = snapshotOf(upstreams.map(chatting), "deterministic")
        const { groups } = explain(snapshot, { model, prompt })
        expect(groups.flatMap(pairsIn)).toEqual(pairsOf(planned(snapshot, model, number, prompt)))
      }),
      { numRuns: runs(300) },
    )
  })

  // Weights, matches and fallbacks such that most of the groups are reached often enough to be counted.
  const busyArb = fc
    .array(
      fc.record({
        weight: fc.integer({ min: 0, max: 6 }),
        match: fc.constantFrom(
          exactly("m", "n"),
          exactly("m"),
          containing("n"),
          containing("m", "o"),
          exactly("o"),
        ),
        fallback: fc.constantFrom(undefined, "a", "b", "c", "d", "e", "m", "n", "o", "o"),
        model: fc.constantFrom(undefined, undefined, undefined, "p"),
      }),
      { minLength: 3, maxLength: 5 },
    )
    .map((given) => given.map((upstream, i) => makeUpstream({ ...upstream, name: "abcde".charAt(i) })))

  it.each(["random", "deterministic"] as const)(
    "law: shares and chances are what %s plans come to",
    (strategy) => {
      let counted = 0
      for (const upstreams of [shared, overlapping, ...fc.sample(busyArb, { seed: 20261122, numRuns: 10 })]) {
        const model = upstreams === shared ? "gpt-4" : "m"
        const snapshot = snapshotOf(upstreams.map(chatting), strategy)
        const explanation = explain(snapshot, { model, prompt: undefined })
        const firsts = new Map<string, number>()
        const visits = new Map<string, number>()
        const count = (counts: Map<string, number>, key: string): void => {
          counts.set(key, (counts.get(key) ?? 0) + 1)
        }
        for (let number = 0; number < 1_200; number++) {
          for (const [group, [first]] of walk(
            explanation,
            planned(snapshot, model, number, `prompt ${number}`),
          )) {
            count(visits, group.label)
            if (first !== undefined) count(firsts, `${group.label} ${first.upstream.name}`)
          }
        }
        for (const { label, targets } of explanation.groups) {
          if (targets.length > 1) counted++
          expect(
            goodnessOfFit(
              targets.map(({ upstream }) => firsts.get(`${label} ${upstream}`) ?? 0),
              targets.map(({ share }) => share ?? Number.NaN),
            ),
          ).toBeGreaterThan(implausible)
          const next = explanation.groups.filter(({ fallback }) => fallback?.after === label)
          expect(
            goodnessOfFit(
              next.map((group) => visits.get(group.label) ?? 0),
              next.map(({ fallback }) => fallback?.chance ?? Number.NaN),
            ),
          ).toBeGreaterThan(implausible)
        }
      }
      expect(counted).toBeGreaterThan(10)
    },
  )
})

describe("the sentence", () => {
  const up = (name: string, over: Partial<Upstream> = {}) => makeUpstream({ name, ...over })
  const of = (upstreams: ReadonlyArray<Upstream>, strategy: Strategy = "random", prompt?: string) =>
    sentenceOf(explained(upstreams, "gpt", strategy, prompt))

  it("says where most requests go, and where the others", () => {
    expect(of([up("a")])).toBe("gpt goes to a.")
    expect(of([up("a", { weight: 3 }), up("b", { weight: 1 })])).toBe(
      "gpt goes to a in 3 of 4 requests, else b.",
    )
    expect(of([up("a", { weight: 1 }), up("b", { weight: 0 })])).toBe("gpt goes to a, else b.")
    expect(of([up("a", { weight: 2 }), up("b", { weight: 1 }), up("c", { weight: 1 })])).toBe(
      "gpt goes to a in 1 of 2 requests, b in 1 of 4 requests, else c.",
    )
    expect(of([up("a", { weight: 83 }), up("b", { weight: 17 })])).toBe(
      "gpt goes to a in 83% of requests, else b.",
    )
    expect(of([up("a"), up("b")], "least_connections")).toBe(
      "gpt goes to a or b, whoever has the fewest requests under way.",
    )
    expect(of([up("a", { fallback: "z" }), up("z", { match: exactly("other") })])).toBe(
      "gpt goes to a; if it fails, to z as other.",
    )
  })
})

describe("render", () => {
  it("shows timeouts by upstream where they differ", () => {
    const upstreams = [
      makeUpstream({
        name: "slow",
        timeouts: {
          connectMs: 500,
          firstByteMs: 1_500,
          answerMs: 600_000,
          idleMs: 300_000,
          totalMs: 900_000,
        },
      }),
      makeUpstream({ name: "usual" }),
    ]
    const text = render(explained(upstreams, "gpt"))
    expect(text).toContain("500ms / 1.5s / 600s / 300s / 900s")
    expect(text).toContain("10s / 300s / 600s / 300s / 1800s")
    expect(render(explained(readmeUpstreams, "gpt-4"))).toContain(
      "connect 10s, first byte 300s, plain answer 600s, idle 300s, total 1800s",
    )
  })

  it("says when streams begin, where that is not with their first event", () => {
    const snapshot = snapshotOf(shared)
    const textOf = (streamStart: Snapshot["streamStart"]): string =>
      render(explain({ ...snapshot, streamStart }, { model: "gpt-4o", prompt: undefined }))
    expect(textOf("first_event")).not.toContain("streams")
    expect(textOf("at_once")).toContain("streams   begin at once, with heartbeats (stream_start)")
  })

  it("rounds shares, but to no certainty that is none", () => {
    const shares = (...weights: ReadonlyArray<number>): string =>
      render(
        explained(
          weights.map((weight, i) => makeUpstream({ name: `u${i}`, weight })),
          "gpt",
        ),
      )
    expect(shares(2, 1)).toMatch(/u0 +66\.67%.*\n.*u1 +33\.33%/)
    expect(shares(1e9, 1)).toMatch(/u0 +>99\.99%.*\n.*u1 +<0\.01%/)
    expect(shares(1, 0)).toMatch(/u0 +100%.*\n.*u1 +0% +0 \(standby\)/)
  })

  it("says in words how least_connections chooses, and that a prompt makes no difference to it", () => {
    const text = render(explained(shared, "gpt-4o", "least_connections", "Hello"))
    expect(text).toContain("fewest requests in flight per priority first")
    expect(text).toContain("the prompt makes no difference")
    expect(text).toMatch(/azure +by load/)
    expect(text).toContain(
      "2a. if all of 1 fail, where azure stands first of those with a fallback: fallback of azure to the model llama-3",
    )
  })

  it("law: holds no key, no header, no control character, and no line ends in blanks", () => {
    fc.assert(
      fc.property(
        upstreamsArb(),
        modelArb,
        fc.option(fc.string(), { nil: undefined }),
        fc.constantFrom(...strategyNames),
        (upstreams, model, prompt, strategy) => {
          const secret = "sk-SECRET-2f7c"
          const guarded = upstreams.map((upstream) => ({
            ...upstream,
            name: `${upstream.name}\u001b[31m`,
            apiKey: Redacted.make(secret),
            headers: { authorization: secret },
            extraBody: { key: secret },
            baseUrl: `http://user:${secret}@host/v1`,
          }))
          const explanation = explained(guarded, model, strategy, prompt)
          expect(JSON.stringify(explanation)).not.toContain(secret)
          const text = render(explanation)
          expect(text).not.toContain(secret)
          expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u)
          expect(text).not.toMatch(/ $/m)
        },
      ),
    )
  })
})

describe("Dialects that nobody wrote", () => {
  const guessed = makeUpstream({
    name: "learner",
    match: exactly("m"),
    dialects: ["chat", "responses"],
    dialectsAssumed: true,
  })
  const written = makeUpstream({ name: "told", match: exactly("m"), dialects: ["chat"] })
  const explanation = explain(snapshotOf([guessed, written]), {
    model: "m",
    operation: operations.responses,
    prompt: undefined,
  })

  it("are said to be guessed where somebody asks about an endpoint", () => {
    expect(render(explanation)).toContain("what they speak: learner (chat, responses); --running and")
    expect(render(explain(snapshotOf([guessed]), { model: "m", prompt: undefined }))).not.toContain("guessed")
    const embeddings = { model: "m", operation: operations.embeddings, prompt: undefined }
    expect(render(explain(snapshotOf([guessed]), embeddings))).not.toContain("guessed")
  })

  it("are told as a running gateway has learned them, of who is left out too", () => {
    const now = {
      state: "closed",
      reason: null,
      probeAt: null,
      inFlight: 0,
      waiting: 0,
      dialects: ["chat"],
    } as const
    const lacks = [{ dialect: "responses", answered: 404, until: "2026-11-28T14:00:00.000Z" }]
    const text = renderNow(explanation, "localhost:8000", [
      { ...now, name: "learner", lacks },
      { ...now, name: "told", lacks: [] },
      { ...now, name: "of another plan", lacks },
    ])
    expect(text).toMatch(/speaks +asked in\n[\s\S]*learner.* chat +chat\n/)
    expect(text).toContain(
      "learner answered 404 to responses, and is asked in chat until 2026-11-28T14:00:00.000Z",
    )
    expect(text).toMatch(/told +closed/)
    expect(text).not.toContain("of another plan")
    const compact = { model: "m", operation: operations["responses.compact"], prompt: undefined }
    expect(
      renderNow(explain(snapshotOf([guessed]), compact), "localhost:8000", [
        { ...now, name: "learner", lacks },
      ]),
    ).toContain("is left out of it until 2026-11-28T14:00:00.000Z where others can be asked")
  })
})
