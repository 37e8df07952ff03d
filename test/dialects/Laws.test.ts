/** What holds of every dialect, and of every two of them: one is the caller's, the other the upstream's. */
import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "fast-check"
import type { AnswerEvent, NeutralAnswer } from "../../src/dialects/Answer.ts"
import { eventsOf } from "../../src/dialects/AnswerParts.ts"
import { chatForm } from "../../src/dialects/chat/ChatForm.ts"
import type { DialectForm } from "../../src/dialects/DialectForm.ts"
import { messagesForm } from "../../src/dialects/messages/MessagesForm.ts"
import { responsesForm } from "../../src/dialects/responses/ResponsesForm.ts"
import type { JsonObject } from "../../src/wire/Json.ts"
import { MachineRun } from "../../src/wire/Machine.ts"
import { decoder, isOverflow, type SseEvent, type SseOutput } from "../../src/wire/Sse.ts"
import { encodeEvent } from "../../src/wire/SseWriting.ts"
import { askedFor, writeFor } from "./Abilities.ts"
import { answerArb, conversationArb, nameless } from "./Conversations.ts"
import { answerIn, objectsOf, readAll } from "./EventsOf.ts"

const forms = [chatForm, responsesForm, messagesForm]

const pairs = forms.flatMap((asked) =>
  forms.map((told) => [asked.dialect, told.dialect, asked, told] as const),
)

const writtenBy = (
  { writeEvents }: DialectForm,
  events: ReadonlyArray<AnswerEvent>,
): ReadonlyArray<SseEvent> => {
  const writing = writeEvents(askedFor)
  return [...writing.take(events), ...writing.rest()]
}

/** Texts in pieces of so many characters. */
const inPieces = (answer: NeutralAnswer, length: number): ReadonlyArray<AnswerEvent> =>
  eventsOf(answer).flatMap(
    (event): ReadonlyArray<AnswerEvent> =>
      event.kind === "more"
        ? (event.text.match(new RegExp(`.{1,${length}}`, "gsu")) ?? []).map((text) => ({
            kind: "more",
            text,
          }))
        : [event],
  )

/** What the dialect does not say is not compared. */
const comparable = (answer: NeutralAnswer | undefined) =>
  answer === undefined ? undefined : { ...answer, createdAt: undefined, serviceTier: undefined }

const anyJson = (value: unknown): JsonObject => JSON.parse(JSON.stringify(Object(value)))

describe.each(forms.map((form) => [form.dialect, form] as const))("In %s", (_, form) => {
  it("a request is read as it was written, whatever every dialect can say", () => {
    fc.assert(
      fc.property(conversationArb, (conversation) => {
        const { body, losses, renamed } = form.writeRequest(conversation, writeFor())
        const { store: __, ...settings } = Either.getOrThrow(form.readRequest(body)).settings
        expect(losses).toEqual([])
        expect(renamed).toEqual([])
        expect(nameless({ ...Either.getOrThrow(form.readRequest(body)), settings })).toEqual(
          nameless(conversation),
        )
      }),
    )
  })

  it("an answer is read as it was written, and streamed as it is written whole", () => {
    fc.assert(
      fc.property(answerArb, fc.integer({ min: 1, max: 5 }), (answer, length) => {
        const whole = form.readAnswer(form.writeAnswer(answer, askedFor))
        expect(comparable(whole)).toEqual(comparable(answer))
        expect(answerIn(form, writtenBy(form, inPieces(answer, length)))).toEqual(whole)
      }),
    )
  })

  it("a stream says the same wherever its bytes are cut", () => {
    fc.assert(
      fc.property(
        answerArb,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 40 }),
        (answer, length, size) => {
          const events = writtenBy(form, inPieces(answer, length))
          const bytes = Buffer.concat(events.map((event) => Buffer.from(encodeEvent(event))))
          const reading = form.readEvents()
          const decoding = new MachineRun(decoder({ maxEventBytes: 1_000_000 }))
          const read: Array<AnswerEvent> = []
          const take = (outputs: ReadonlyArray<SseOutput>) => {
            for (const one of reading.take(outputs.flatMap((output) => (isOverflow(output) ? [] : [output]))))
              read.push(one)
          }
          for (let at = 0; at < bytes.length; at += size) take(decoding.take([bytes.subarray(at, at + size)]))
          take(decoding.rest())
          for (const one of reading.rest()) read.push(one)
          expect(read).toEqual(readAll(form, events))
        },
      ),
      { numRuns: 30 },
    )
  })

  it("nothing is told behind the end of a stream, or behind an error", () => {
    fc.assert(
      fc.property(answerArb, answerArb, (answer, behind) => {
        const failure: AnswerEvent = {
          kind: "error",
          error: { message: "no", type: "server_error", param: null, code: null },
        }
        for (const first of [eventsOf(answer), [...eventsOf(answer).slice(0, -1), failure]]) {
          const events = [...writtenBy(form, first), ...writtenBy(form, eventsOf(behind))]
          const kinds = readAll(form, events).map(({ kind }) => kind)
          expect(kinds.findIndex((kind) => kind === "ends" || kind === "error")).toBe(kinds.length - 1)
        }
      }),
      { numRuns: 30 },
    )
  })

  it("a stream that is cut has no end, and leaves no call half told", () => {
    fc.assert(
      fc.property(answerArb, fc.nat(30), fc.integer({ min: 1, max: 5 }), (answer, at, length) => {
        const events = writtenBy(form, inPieces(answer, length))
        const read = readAll(form, events.slice(0, at))
        const reading = form.readEvents()
        reading.take(events.slice(0, at))
        if (reading.isFinished) {
          // Only counts and the end are to come: all that it says is there.
          const whole = answerIn(form, events)
          expect(answerIn(form, events.slice(0, at))).toEqual({ ...whole, counts: expect.anything() })
          return
        }
        if (at >= events.length) return
        expect(read.some(({ kind }) => kind === "ends")).toBe(false)
        const told = answer.parts.flatMap((part) => (part.kind === "tool_call" ? [part.input] : []))
        const ended: Array<string> = []
        let input: string | undefined
        for (const event of read) {
          if (event.kind === "part_begins") input = event.part.kind === "tool_call" ? "" : undefined
          else if (event.kind === "more" && input !== undefined) input += event.text
          else if (event.kind === "part_ends" && input !== undefined) ended.push(input)
        }
        expect(told.slice(0, ended.length)).toEqual(ended)
      }),
    )
  })

  it("requests and answers may be any JSON", () => {
    const names = [
      "messages",
      "input",
      "system",
      "instructions",
      "tools",
      "tool_choice",
      "text",
      "thinking",
      "metadata",
    ]
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...names), fc.jsonValue()),
        fc.array(fc.jsonValue()),
        (members, values) => {
          for (const name of ["messages", "input", "content", "output", "choices"]) {
            const body = anyJson({ ...members, [name]: values, role: "user" })
            const read = form.readRequest(body)
            if (Either.isRight(read))
              for (const { writeRequest } of forms) writeRequest(read.right, writeFor())
            const answer = form.readAnswer(body)
            if (answer !== undefined) for (const { writeAnswer } of forms) writeAnswer(answer, askedFor)
          }
        },
      ),
    )
  })

  it("events may be any JSON", () => {
    const samples = writtenBy(form, [
      { kind: "begins", head: { id: "1", model: "m", createdAt: 1, serviceTier: undefined } },
      { kind: "part_begins", part: { kind: "reasoning" } },
      { kind: "more", text: "a" },
      { kind: "part_ends" },
      { kind: "part_begins", part: { kind: "text" } },
      { kind: "more", text: "a" },
      { kind: "part_ends" },
      { kind: "part_begins", part: { kind: "tool_call", id: "c", name: "f", isFreeForm: false } },
      { kind: "more", text: "{}" },
      { kind: "part_ends" },
      { kind: "ends", finish: { kind: "stop" } },
    ])
    const sampleArb = fc
      .tuple(fc.constantFrom(...samples), fc.string({ maxLength: 9 }), fc.jsonValue())
      .map(([event, name, value]): SseEvent => {
        const [object] = objectsOf([event])
        if (object === undefined || object === "[DONE]") return event
        const members = Object.keys(object)
        const changed = members[name.length % members.length] ?? name
        return { ...event, data: Buffer.from(JSON.stringify({ ...object, [changed]: value })) }
      })
    fc.assert(
      fc.property(fc.array(fc.oneof(sampleArb, fc.constantFrom(...samples)), { maxLength: 20 }), (events) => {
        const read = readAll(form, events)
        for (const other of forms) writtenBy(other, read)
      }),
    )
  })
})

describe.each(pairs)("From %s to %s", (_, __, asked, told) => {
  it("a request says the same", () => {
    fc.assert(
      fc.property(conversationArb, (conversation) => {
        const { body } = asked.writeRequest(conversation, writeFor())
        const read = Either.getOrThrow(asked.readRequest(body))
        const translated = told.writeRequest(read, writeFor())
        const again = Either.getOrThrow(told.readRequest(translated.body))
        expect(translated.losses).toEqual([])
        const { store: ___, ...settings } = again.settings
        expect(nameless({ ...again, settings })).toEqual(nameless(conversation))
      }),
    )
  })

  it("no member of one reaches the other that nobody knows", () => {
    fc.assert(
      fc.property(conversationArb, fc.string({ minLength: 1 }), (conversation, suffix) => {
        const unknown = `unknown ${suffix}`
        const { body } = asked.writeRequest(conversation, writeFor())
        const read = Either.getOrThrow(asked.readRequest({ ...body, [unknown]: 1 }))
        const translated = told.writeRequest(read, writeFor())
        expect(translated.body).not.toHaveProperty([unknown])
        expect(translated.losses).toEqual([{ as: unknown, isEssential: false }])
      }),
    )
  })

  it("an answer says and costs the same, whole and streamed", () => {
    fc.assert(
      fc.property(answerArb, (answer) => {
        const read = told.readAnswer(told.writeAnswer(answer, askedFor))
        if (read === undefined) throw new Error("it was not read")
        const given = asked.readAnswer(asked.writeAnswer(read, askedFor))
        expect(comparable(given)).toEqual(comparable(answer))
        const streamed = writtenBy(asked, readAll(told, writtenBy(told, eventsOf(answer))))
        expect(comparable(answerIn(asked, streamed))).toEqual(comparable(answer))
      }),
    )
  })
})
