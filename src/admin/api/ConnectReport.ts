/** What lines to connect a client's program need: where the gateway is, which models it serves, and whether a key is asked for. */
import * as Schema from "effect/Schema"
import { known } from "./Described.ts"

export const ConnectReport = Schema.Struct({
  port: known(Schema.Number, "The port that callers ask"),
  same_port: known(Schema.Boolean, "This page is on it, so its own host and port are the callers' too"),
  keys: known(Schema.Boolean, "Callers are asked for a key"),
  models: known(
    Schema.Array(Schema.String),
    "Names of models that callers may ask for, as the configuration has them",
  ),
  dialects: known(Schema.Array(Schema.String), "The dialects that callers may speak"),
}).annotations({ identifier: "ConnectReport" })

export interface ConnectReport extends Schema.Schema.Type<typeof ConnectReport> {}
