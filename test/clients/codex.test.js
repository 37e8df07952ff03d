/**
 * Codex finishes a task through the gateway before strict providers that speak one dialect each. Which tools it offers, and how, depends on what it knows
 * of the model: functions and a namespace of them; a tool that takes any text, and a search for others; or scripts, offered in its input.
 */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { runCodex } from "./Codex.js"
import { startGateway } from "./Gateway.js"
import { startStrictProvider } from "./StrictProvider.js"

const call = (id, name, input) => ({ id, name, args: JSON.stringify(input) })

/** Of a tool that takes any text: as such in chat, for models that know them. */
const textCall = (id, name, text) => ({ ...call(id, name, { input: text }), text })

const step = (text, ...calls) => ({ reasoning: `I think: ${text}`, text, calls })

const end = step("Done.")

const patch = '*** Begin Patch\n*** Add File: notes.txt\n+one "é" \\\n*** End Patch\n'

const script = `text((await tools.exec_command({ cmd: "echo one > notes.txt; cat notes.txt" })).output)`

/** By model: what it says, by how many results of tools came; and what is left, and told of it. */
const tasks = {
  // Codex knows nothing of it.
  "claude-sonnet-4-5": {
    said: [
      [0, step("I write it.", call("call_a", "exec_command", { cmd: "echo one > notes.txt" }))],
      [
        1,
        step(
          "I look.",
          call("call_b", "exec_command", { cmd: "echo two >> notes.txt; cat notes.txt" }),
          call("call_c", "multi_agent_v1__wait_agent", { targets: ["nobody"] }),
        ),
      ],
      [3, end],
    ],
    notes: "one\ntwo\n",
    results: [/code 0/, /one\ntwo/, /invalid agent id nobody/],
  },
  "gpt-5.5": {
    said: [
      [0, step("I write it.", textCall("call_a", "apply_patch", patch))],
      [
        1,
        step(
          "I look.",
          call("call_b", "exec_command", { cmd: "cat notes.txt" }),
          call("call_c", "tool_search", { query: "mail" }),
        ),
      ],
      [3, end],
    ],
    notes: 'one "é" \\\n',
    results: [/Success/, /one "é" \\/, /No tools were found/],
  },
  "gpt-5.6-sol": {
    said: [
      [0, step("I write it.", textCall("call_a", "functions__exec", script))],
      [1, step("Who is there?", call("call_b", "collaboration__list_agents", {}))],
      [2, end],
    ],
    notes: "one\n",
    results: [/one/, /agent_name/],
  },
}

/** The text of each result of a tool in a request. */
const resultsIn = {
  chat: ({ messages }) => messages.filter(({ role }) => role === "tool").map(({ content }) => content),
  messages: ({ messages }) =>
    messages
      .flatMap(({ content }) => (Array.isArray(content) ? content : []))
      .filter(({ type }) => type === "tool_result")
      .map(({ content }) => content.map(({ text }) => text).join("")),
}

const scripts = new Map(Object.entries(tasks).map(([model, { said }]) => [model, new Map(said)]))

for (const dialect of ["chat", "messages"]) {
  describe(`Codex before a provider that speaks ${dialect} alone`, () => {
    let provider
    let gateway

    before(async () => {
      provider = await startStrictProvider(dialect, scripts)
      gateway = await startGateway(provider.url, [dialect])
    })

    after(async () => {
      assert.equal(await gateway.stop(), 0)
      provider.stop()
    })

    for (const [model, { notes, results, said }] of Object.entries(tasks)) {
      it(`finishes its task with ${model}`, async () => {
        const { code, complaints, events, files } = await runCodex(model, gateway)
        assert.equal(code, 0, `${complaints}\n${JSON.stringify(events)}`)
        assert.deepEqual(files, { "notes.txt": notes })
        const told = events.flatMap(({ item }) => (item?.type === "agent_message" ? [item.text] : []))
        assert.deepEqual(
          told,
          said.map(([, { text }]) => text),
        )
        const asked = provider.asked.filter((one) => one.model === model)
        assert.equal(asked.length, said.length)
        const given = resultsIn[dialect](asked.at(-1))
        assert.equal(given.length, results.length)
        for (const [at, result] of results.entries()) assert.match(given[at], result)
      })
    }
  })
}
