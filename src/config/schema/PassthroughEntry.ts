/** An entry of `passthrough` as it is written. */
import * as Schema from "effect/Schema"
import { faultInRule, type PassedMethod, passedMethods } from "../../routing/Passthrough.ts"
import { setting } from "./Keys.ts"
import { nonEmptyText } from "./Values.ts"

const allMethods: ReadonlyArray<PassedMethod> = passedMethods

const aboutPath = {
  title: "a path such as /v1/files",
  description:
    "All requests at this path and below it are handed on. What stands behind `/v1` is asked below the `base_url` of the client, any other path whole.",
  examples: ["/v1/files"] as const,
}

const rulePath = Schema.String.pipe(
  Schema.filter((path) => {
    const fault = faultInRule(path)
    return fault === undefined || `a path ${fault}`
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
