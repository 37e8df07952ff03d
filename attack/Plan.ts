/** What the parts of an attack have agreed on: who has which key, what the hostile providers do, and how long it is quiet between. */

/** Keys of forms that providers give out. None may be seen anywhere but at the provider whose it is. */
export const plantedKeys: ReadonlyArray<string> = [
  "sk-proj-Attack0Planted0Key0aaaaaaaaaaaaaaaaaaaa",
  "gsk_AttackPlantedKeyOfGroqbbbbbbbbbbbbbbbbbb",
  "AIzaSyAttackPlantedKeyOfGoogleccccccccc",
  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  "xai-AttackPlantedKeydddddddddddddddddddddddd",
]

export const ordinaryCallers = 10

/** An access key for each ordinary caller, and one for whoever is greedy. */
export const accessKeyOf = (caller: number): string => `access-key-of-ordinary-caller-${caller}`
export const greedyKey = "access-key-of-the-greedy-caller"

export const keysOfCallers: ReadonlyArray<string> = [
  ...Array.from({ length: ordinaryCallers }, (_, at) => accessKeyOf(at)),
  greedyKey,
]

export const goodModel = "good"
/** Answers with megabytes, for those who do not read them. */
export const largeModel = "large"
/** Answers after a while, for those who take all the places there are. */
export const lateModel = "late"

/** What a hostile provider does, which is also the name of its model. */
export const hostileConducts = [
  "endless-plain",
  "endless-line",
  "endless-comments",
  "html",
  "status-000",
  "many-objects",
  "many-objects-in-error",
  "huge-first-event",
  "deep-event",
  "echoing-key",
  "echoing-key-in-event",
  "forging-lines",
  "dripping-head",
  "dripping-body",
  "packed-bomb",
  "silent",
  "resetting",
] as const

export type HostileConduct = (typeof hostileConducts)[number]

/** `settling` is what comes behind an attack: requests that begin in it count for neither side. */
export type Phase = "quiet" | "attack" | "settling"

interface Span {
  readonly phase: Phase
  readonly seconds: number
}

const longestCycleSeconds = 30
const settlingSeconds = 3

/** Phases that take turns, so that both are measured on a machine as busy: of each cycle a third is quiet. */
export const phasesOf = (seconds: number): ReadonlyArray<Span> => {
  const cycles = Math.max(1, Math.round(seconds / longestCycleSeconds))
  const cycle = seconds / cycles
  const settling = Math.min(settlingSeconds, cycle / 10)
  return Array.from(
    { length: cycles },
    (): ReadonlyArray<Span> => [
      { phase: "quiet", seconds: cycle / 3 },
      { phase: "attack", seconds: (cycle * 2) / 3 - settling },
      { phase: "settling", seconds: settling },
    ],
  ).flat()
}

export const configOf = (good: string, hostile: string): string => {
  const entry = (name: string, url: string, key: string, more = "") =>
    `  - { name: ${name}, base_url: "${url}", api_key: ${key}, model_match: { type: exact, value: [${name}] }${more} }\n`
  const entries = hostileConducts.map((conduct, at) =>
    entry(
      conduct,
      `${hostile}/${conduct}/v1`,
      plantedKeys[at % plantedKeys.length] ?? "",
      `, timeouts: ${impatient}`,
    ),
  )
  return `
retry: { rounds: 1 }
server: { access_keys: [${keysOfCallers.join(", ")}] }
openai_clients:
${entry(goodModel, good, plantedKeys[0] ?? "")}${[largeModel, lateModel]
  .map((model) => entry(model, `${hostile}/${model}/v1`, plantedKeys[1] ?? ""))
  .join("")}${entries.join("")}`
}

/** Of hostile providers, so that each is met many times. */
const impatient =
  "{ connect_ms: 1000, first_byte_ms: 5000, answer_ms: 10000, idle_ms: 5000, total_ms: 15000 }"
