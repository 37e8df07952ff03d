import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type AnswerForm, begunWith, noBeginning, wholeForm } from "../../src/answer/AnswerForm.ts"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe("An answer is known by its first bytes", () => {
  const cases: ReadonlyArray<readonly [string, AnswerForm]> = [
    ['{"id":"x"}', "object"],
    ['\uFEFF \r\n\t{"id":"x"}', "object"],
    [`${"\n ".repeat(1000)}{`, "object"],
    ["data: {}\n\n", "events"],
    ["data:{}\r\n\r\n", "events"],
    ["\uFEFFdata: {}\n\n", "events"],
    ["\r\n\r\n\r\ndata: {}\r\n\r\n", "events"],
    [": OPENROUTER PROCESSING\n\n", "events"],
    [":\n\n", "events"],
    ["event: message\ndata: {}\n\n", "events"],
    ["id: 1\ndata: {}\n\n", "events"],
    ["retry: 10\n\n", "events"],
    ['error: {"message":"full"}\n\n', "events"],
    ["[]", "other"],
    ["<!doctype html>", "other"],
    ["dat", "other"],
    ["database is down", "other"],
    ["Data: x", "other"],
    ['"data: x"', "other"],
    ["null", "other"],
    ["", "other"],
    [" \n", "other"],
  ]

  it.each(cases)("%j is %s", (text, form) => {
    expect(wholeForm(begunWith(noBeginning, bytes(text)))).toBe(form)
  })

  it("however they are cut, and from its first character on nothing is lost", () => {
    const textArb = fc
      .tuple(
        fc.array(fc.constantFrom(" ", "\n", "\r\n", "\t", "\uFEFF"), { maxLength: 6 }),
        fc.oneof(fc.constantFrom(...cases.map(([text]) => text)), fc.string()),
      )
      .map(([space, text]) => bytes(space.join("") + text))
    fc.assert(
      fc.property(textArb, fc.array(fc.nat({ max: 40 })), (all, cuts) => {
        const whole = begunWith(noBeginning, all)
        let beginning = noBeginning
        let behind: ReadonlyArray<Uint8Array> = []
        const places = [0, ...cuts.filter((at) => at < all.length).sort((a, b) => a - b), all.length]
        places.slice(1).forEach((to, at) => {
          const piece = all.subarray(places[at], to)
          if (beginning.form === undefined) beginning = begunWith(beginning, piece)
          else behind = [...behind, piece]
        })
        expect(wholeForm(beginning)).toBe(wholeForm(whole))
        expect(Buffer.concat([beginning.bytes, ...behind])).toEqual(Buffer.from(whole.bytes))
      }),
    )
  })

  it("without more than a few of them being kept", () => {
    let beginning = noBeginning
    for (let times = 0; times < 1000; times++) {
      beginning = begunWith(beginning, bytes("\n\n \uFEFF"))
      expect(beginning.bytes.length).toBeLessThan(8)
    }
    expect(begunWith(beginning, bytes("even")).form).toBeUndefined()
  })
})
