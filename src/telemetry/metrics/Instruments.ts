/** Every instrument of Sluice's own set. docs/metrics.md has the table of them. */
import { counter, gauge, histogram, type Instrument } from "./Instrument.ts"

/** Seconds that a caller waits for a whole answer. */
const waits = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 600]

/** Seconds until an answer begins. */
const beginnings = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 60]

/** Seconds between two tokens. */
const paces = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]

/** Seconds that the gateway takes itself. */
const own = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5]

/** What is counted and timed of requests and attempts, when they are over. */
export const recorded = {
  requests: counter(
    "sluice_requests_total",
    ["endpoint", "model", "client", "status", "outcome"],
    "Requests that are over, by the client that answered last, the status and how they ended.",
  ),
  duration: histogram(
    "sluice_request_duration_seconds",
    ["endpoint", "model", "client"],
    waits,
    "Time from a request's arrival until the last byte of its answer was out.",
  ),
  firstEvent: histogram(
    "sluice_time_to_first_event_seconds",
    ["endpoint", "model", "client"],
    beginnings,
    "Time from a request's arrival until the first content of its streamed answer: a text, reasoning, a refusal or a call of a tool.",
  ),
  perToken: histogram(
    "sluice_time_per_output_token_seconds",
    ["endpoint", "model", "client"],
    paces,
    "Time of a streamed answer after its first content, for each further output token.",
  ),
  overhead: histogram(
    "sluice_overhead_seconds",
    ["endpoint"],
    own,
    "Time of a request in which no upstream was waited for: what the gateway took itself.",
  ),
  attempts: counter(
    "sluice_attempts_total",
    ["client", "result"],
    "Attempts at clients, by what came of them; counted when their request is over.",
  ),
  fallbacks: counter(
    "sluice_fallbacks_total",
    ["model"],
    "Times that a request went on to another client, because the one before gave no answer.",
  ),
  hedges: counter(
    "sluice_hedges_total",
    ["model", "won"],
    "Attempts at a second client beside a slow first one, and whether the second one answered.",
  ),
  resumes: counter(
    "sluice_resumes_total",
    ["model", "result"],
    "Attempts to resume a broken stream at another client, and whether it went on.",
  ),
  tokens: counter(
    "sluice_tokens_total",
    ["model", "client", "kind"],
    "Tokens that answers reported. The cached and cache_write ones are part of input, the reasoning ones of output.",
  ),
  tokensMissing: counter(
    "sluice_tokens_missing_total",
    ["model", "client"],
    "Good answers of endpoints that count tokens, in which none were reported.",
  ),
} as const

/** What services know, read when somebody asks. */
export const read = {
  active: gauge("sluice_active_requests", ["endpoint"], "Requests under way."),
  clientActive: gauge("sluice_client_active", ["client"], "Calls to a client under way."),
  clientWaiting: gauge("sluice_client_waiting", ["client"], "Calls that wait for a free place at a client."),
  breaker: gauge(
    "sluice_breaker_state",
    ["client"],
    "State of a client's breaker, in the process that thinks worst of it: 0 closed, 1 half open, 2 open.",
    "max",
  ),
  openings: counter(
    "sluice_breaker_openings_total",
    ["client"],
    "Times that a client's breaker opened, those of its models included.",
  ),
  setAside: gauge(
    "sluice_models_set_aside",
    ["client"],
    "Models of a client that are set aside by themselves.",
    "max",
  ),
  buffered: gauge("sluice_buffered_bytes", [], "Bytes of requests and answers that are held in memory."),
  connections: gauge("sluice_connections_open", [], "Connections of callers that are open."),
  refusedConnections: counter(
    "sluice_connections_refused_total",
    [],
    "Connections that there was no room for.",
  ),
  displacedConnections: counter(
    "sluice_connections_displaced_total",
    [],
    "Unused connections that were closed to make room.",
  ),
  turnedAway: counter("sluice_strangers_turned_away_total", [], "Requests without a key that is asked for."),
  rows: counter(
    "sluice_audit_rows_total",
    ["result"],
    "Rows of the audit: kept, in the database or its spill, or lost.",
  ),
  auditLost: counter("sluice_audit_lost_total", [], "Rows of the audit that could not be kept."),
  auditQueue: gauge("sluice_audit_queue", [], "Rows of the audit that wait in memory."),
  auditSpilled: gauge(
    "sluice_audit_spilled",
    [],
    "Rows of the audit that wait in the spill file for the database.",
  ),
  dropped: counter(
    "sluice_telemetry_dropped_total",
    ["kind"],
    "Telemetry that could not be handed on, such as lines of the log.",
  ),
  reloads: counter(
    "sluice_config_reload_total",
    ["result"],
    "Times that the configuration was replaced, or that what its file said was rejected.",
    "max",
  ),
  generation: gauge(
    "sluice_config_generation",
    [],
    "Generation of the configuration in force: the oldest of all processes.",
    "min",
  ),
  loadedAt: gauge(
    "sluice_config_loaded_timestamp_seconds",
    [],
    "When the configuration in force was loaded, in the process that did so first.",
    "min",
  ),
  config: gauge("sluice_config_info", ["hash"], "1 for each configuration in force, by its hash.", "max"),
  build: gauge("sluice_build_info", ["version", "node"], "1, with the version of Sluice and of Node.", "max"),
  processes: gauge("sluice_processes", [], "Processes that these numbers are of, the primary included."),
} as const

/** What the runtime knows of the processes, under the names that dashboards for Node look for. */
export const ofProcess = {
  cpu: counter("process_cpu_seconds_total", [], "Time of the processor, of all processes together."),
  memory: gauge("process_resident_memory_bytes", [], "Resident memory, of all processes together."),
  startedAt: gauge("process_start_time_seconds", [], "When the first process began.", "min"),
  openFiles: gauge("process_open_fds", [], "Open file descriptors, of all processes together."),
  heap: gauge("nodejs_heap_size_used_bytes", [], "Used heap of V8, of all processes together."),
  external: gauge("nodejs_external_memory_bytes", [], "Memory outside the heap, of all processes together."),
  lag: gauge(
    "nodejs_eventloop_lag_seconds",
    [],
    "Mean delay of the event loop since the last scrape, in the process where it is longest.",
    "max",
  ),
  lagP99: gauge(
    "nodejs_eventloop_lag_p99_seconds",
    [],
    "99th percentile of the delay of the event loop since the last scrape, in the process where it is longest.",
    "max",
  ),
  lagMax: gauge(
    "nodejs_eventloop_lag_max_seconds",
    [],
    "Longest delay of the event loop since the last scrape, of any process.",
    "max",
  ),
} as const

/** Sluice's own set, in the order in which it is told. */
export const instruments: ReadonlyArray<Instrument> = [
  ...Object.values(recorded),
  ...Object.values(read),
  ...Object.values(ofProcess),
]
