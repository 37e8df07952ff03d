/** The configuration in force, without its secrets, and what is wrong with the file where that is another. */
import * as Schema from "effect/Schema"
import { instant, known, maybe } from "./Described.ts"

export const ConfigProblem = Schema.Struct({
  line: known(Schema.Number, "From 1"),
  column: known(Schema.Number, "From 1"),
  path: known(Schema.String, "openai_clients[0].model_match; empty for the file as a whole"),
  severity: known(Schema.String, "error or warning"),
  message: known(Schema.String, "What is wrong, and what would be right"),
}).annotations({ identifier: "ConfigProblem" })

export interface ConfigProblem extends Schema.Schema.Type<typeof ConfigProblem> {}

export const ConfigReport = Schema.Struct({
  file: known(Schema.String, "The file's name"),
  generation: known(Schema.Number, "1 for the configuration of the start; each reload adds 1"),
  loaded_at: instant("Since when it is in force"),
  hash: known(Schema.String, "Tells it from others; `config_hash` of the requests it served"),
  text: known(
    Schema.String,
    "The file in force. Keys that are written out are ***; references to the environment stay",
  ),
  refusal: maybe(
    Schema.Struct({
      at: maybe(Schema.String, "When it was found (UTC)"),
      message: known(Schema.String, "The first problems, on one line"),
      problems: known(Schema.Array(ConfigProblem), "All of them; empty where the file cannot be read"),
    }),
    "What the file says now is bad, and this is what is wrong with it. The configuration above serves on",
  ),
}).annotations({ identifier: "ConfigReport" })

export interface ConfigReport extends Schema.Schema.Type<typeof ConfigReport> {}
