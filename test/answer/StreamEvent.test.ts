import { describe, expect, it } from "vitest"
import { ping, received } from "../../src/answer/StreamEvent.ts"
import type { SseEvent } from "../../src/wire/Sse.ts"
import { bytesOf } from "../support/answers.ts"
import { chatChunks, textChunk, usageChunk } from "../support/Wire.ts"

const event = (data: string, name?: string): SseEvent => ({
  data: new TextEncoder().encode(data),
  event: name,
})

describe("received", () => {
  it("lets chunks, the end and errors pass as they are", () => {
    for (const one of [
      ...[...chatChunks(["a"]), usageChunk(), textChunk('say {"type":"ping"}')].map(
        (value): SseEvent => ({
          data: bytesOf(value),
          event: undefined,
        }),
      ),
      event("[DONE]"),
      event(" [DONE]"),
      event("{}"),
      event(' \n{"a":1}\n '),
      event('{"type":"ping","choices":[]}'),
      event("plain words", "error"),
      event("{}", "completion.chunk"),
    ]) {
      expect(received(one)).toBe(one)
    }
  })

  it("knows a ping by its name and by its type", () => {
    for (const one of [
      event('{"type":"ping"}'),
      event('{"type": "ping"}', "ping"),
      event("{}", "ping"),
      event("ping", "ping"),
      event('{"type":"keepalive"}'),
      event("x", "heartbeat"),
    ]) {
      expect(received(one)).toBe(ping)
    }
  })

  it("passes over what is no JSON object", () => {
    for (const text of [
      "loading",
      "12",
      "null",
      '"text"',
      "[]",
      '[{"choices":[]}]',
      '{"cut":',
      "{} and more",
    ]) {
      expect(received(event(text))).toBeUndefined()
    }
  })

  it("takes a list with an error for an error", () => {
    expect(received(event('[{"error":{"message":"boom"}}]'))).toMatchObject({ event: "error" })
  })
})
