import { describe, expect, it } from "vitest"
import { errorBody } from "../../src/answer/ErrorInEvents.ts"

const bodyOf = (text: string): string => new TextDecoder().decode(errorBody(new TextEncoder().encode(text)))

const own = '{"error":{"message":"too long","type":"invalid_request_error","param":null,"code":"too_long"}}'
const shaped = '{"error":{"message":"too long","type":"upstream_error","param":null,"code":null}}'

describe("The body of an error", () => {
  it.each([
    ["is passed as it is", own, own],
    ["is that of the event that tells it", `data: ${own}\n\ndata: [DONE]\n\n`, own],
    ["is found behind comments and other events", `: hello\r\n\r\ndata: {}\r\n\r\ndata: ${own}\r\n\r\n`, own],
    ["is found in an event that never ended", `\uFEFFdata: ${own}`, own],
    [
      "is found in an event that is called error",
      'event: error\ndata: {"message":"no"}\n\n',
      '{"message":"no"}',
    ],
    ["is made of one whose data is text", "event: error\ndata: too long\n\n", shaped],
    [
      "is the first object where nothing is called error",
      'data: hm\n\ndata: {"detail":"no"}\n\n',
      '{"detail":"no"}',
    ],
    ["is what came where no event holds an object", "data: busy\n\n", "data: busy\n\n"],
    ["is what came where it is text", "busy", "busy"],
    ["is nothing where nothing came", "", ""],
  ])("%s", (_, came, body) => {
    expect(bodyOf(came)).toBe(body)
  })
})
