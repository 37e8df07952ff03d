/** Sluice while it is watched: by Prometheus, by a collector of traces, in files, and by somebody before the dashboard. */
import { chat } from "./Bodies.ts"
import { type MakeSubject, type SluiceOptions, sluice } from "./Subjects.ts"

const everyMs = 1_000

/** A scrape of its metrics a second. */
const scraping = async (port: number): Promise<() => void> => {
  const leaving = new AbortController()
  const scrape = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: leaving.signal })
    await answer.arrayBuffer()
  }
  const timer = setInterval(() => {
    scrape().catch((error: unknown) => {
      if (!leaving.signal.aborted) throw error
    })
  }, everyMs)
  return () => {
    clearInterval(timer)
    leaving.abort()
  }
}

/** Somebody who watches requests as they finish. */
const watching = async (port: number): Promise<() => void> => {
  const leaving = new AbortController()
  const answer = await fetch(`http://127.0.0.1:${port}/admin/api/requests/live`, { signal: leaving.signal })
  void answer.body?.pipeTo(new WritableStream()).catch(() => {})
  return () => leaving.abort()
}

/** Entries of the configuration, and models of each, that are told apart in the metrics. */
const manyEntries = 50
const modelsOfEach = 20

const manyModels = Array.from({ length: manyEntries }, (_, entry) =>
  Array.from({ length: modelsOfEach }, (_, model) => `model-${entry}-${model}`),
)

/** Each model of each entry was asked for once, so that there is something to be told of it. */
const manyAsked = async (port: number): Promise<void> => {
  for (const model of manyModels.flat()) {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: "POST",
      body: chat(500)(model),
    })
    await answer.arrayBuffer()
  }
}

/** Sluice with a thousand pairs of model and client in its metrics. */
const withManySeries = (name: string, beside: NonNullable<SluiceOptions["beside"]>): MakeSubject =>
  sluice({
    name,
    tells: "loop",
    others: (mockPort) =>
      manyModels.map((value, at) => ({
        name: `entry-${at}`,
        base_url: `http://127.0.0.1:${mockPort}/plain/v1`,
        api_key: "sk-bench",
        model_match: { type: "exact", value },
      })),
    beside: async (port) => {
      await manyAsked(port)
      return beside(port)
    },
  })

/** Sends such a part of the traces to the mock, which takes everything. */
const traced =
  (part: string): NonNullable<SluiceOptions["env"]> =>
  ({ mockPort }) => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${mockPort}/collector`,
    OTEL_TRACES_SAMPLER: "traceidratio",
    OTEL_TRACES_SAMPLER_ARG: part,
  })

const unwatched: NonNullable<SluiceOptions["beside"]> = async () => () => {}

export const watched: ReadonlyArray<MakeSubject> = [
  sluice({ name: "Sluice", tells: "loop" }),
  sluice({ name: "scraped each second", tells: "loop", beside: scraping }),
  sluice({ name: "log files", tells: "loop", env: ({ folder }) => ({ LOG_DIR: `${folder}/log` }) }),
  sluice({ name: "one trace in ten", tells: "loop", env: traced("0.1") }),
  sluice({ name: "all traces", tells: "loop", env: traced("1") }),
  sluice({ name: "requests watched live", tells: "loop", beside: watching }),
]

export const scraped: ReadonlyArray<MakeSubject> = [
  withManySeries("not scraped", unwatched),
  withManySeries("scraped each second", scraping),
]
