/** An entry of `passthrough` as it is written. */
import * as Schema from "effect/Schema"
import { faultInRule, type PassedMethod, passedMethods, type RuleFault } from "../../routing/Passthrough.ts"
import { fixed } from "./FixedWords.ts"
import { setting } from "./Keys.ts"
import { nonEmptyText } from "./Values.ts"

const allMethods: ReadonlyArray<PassedMethod> = passedMethods

const aboutPath = {
  title: "a path such as /v1/files",
  description:
    "All requests at this path and below it are handed on. It begins with a slash, does not end with one, and holds no escapes, query or dots for segments. What is served here cannot stand at it or below it. What stands behind `/v1` is asked below the `base_url` of the client, any other path at the root of its host.",
  examples: ["/v1/files"] as const,
}

const pathFaults: Readonly<Record<RuleFault, string>> = {
  start: fixed("expected a path such as /v1/files: it begins with a slash"),
  end: fixed("expected a path such as /v1/files: it names something, and has no slash at its end"),
  signs: fixed(
    "expected a path such as /v1/files: plain letters, digits and signs, without empty parts, escapes or a query",
  ),
  dots: fixed("expected a path such as /v1/files: it holds no . or .. between its slashes"),
}

const rulePath = Schema.String.pipe(
  Schema.filter((path) => {
    const fault = faultInRule(path)
    return fault === undefined || pathFaults[fault]
  }),
).annotations({ ...aboutPath, jsonSchema: { type: "string", ...aboutPath } })

export const PassthroughEntry = Schema.Struct({
  path: rulePath,
  client: nonEmptyText("the name of a client").annotations({
    description: "The `name` of the client that is asked, with its key, headers, proxy and timeouts.",
    examples: ["openai"],
  }),
  methods: setting(
    Schema.Array(Schema.Literal(...passedMethods)).annotations({ title: "a list of methods" }),
    allMethods,
    { description: "What may be asked; `GET` allows `HEAD` too.", examples: [["GET"]] },
  ),
})

export interface PassthroughEntry extends Schema.Schema.Type<typeof PassthroughEntry> {}
