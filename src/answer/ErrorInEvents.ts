/** An error answer that came as an event stream, as those of some who have begun to stream before they look at the request. */
import { errorData } from "../errors/faces/OpenAiFace.ts"
import { parseObject } from "../wire/JsonBytes.ts"
import { run } from "../wire/Machine.ts"
import { decoder, isOverflow, type SseEvent } from "../wire/Sse.ts"
import { begunWith, noBeginning } from "./AnswerForm.ts"
import { errorOf } from "./Verdict.ts"

const isObject = ({ data }: SseEvent): boolean => parseObject(data) !== undefined

/** The body of an error: of an event stream the data of the first event that tells one, else of the first that is JSON; any other body as it is. */
export const errorBody = (body: Uint8Array): Uint8Array => {
  const { bytes, form } = begunWith(noBeginning, body)
  if (form !== "events") return body
  const events = run(decoder({ maxEventBytes: body.length }), [bytes]).filter(
    (output): output is SseEvent => !isOverflow(output),
  )
  for (const event of events) {
    const error = errorOf(event, parseObject(event.data))
    if (error !== undefined) return isObject(event) ? event.data : errorData(error)
  }
  return events.find(isObject)?.data ?? body
}
