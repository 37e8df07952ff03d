/** Forms on their way in: read as they come, and kept whole beside that, since every target is sent the bytes that came. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { GatewayError } from "../errors/GatewayError.ts"
import { type BodyLimit, InvalidRequest } from "../errors/RequestErrors.ts"
import { noDisk, noMemory } from "../errors/ServerErrors.ts"
import type { Form } from "../operations/multipart/Form.ts"
import { FormCollector } from "../operations/multipart/FormCollector.ts"
import type { ServedOperation } from "../operations/Operations.ts"
import type { Spool } from "../spool/Spool.ts"
import type { SpooledBody, SpoolFault } from "../spool/SpooledBody.ts"
import type { Intake } from "../wire/Intake.ts"
import { boundaryOf, isFormType, MultipartReader } from "../wire/Multipart.ts"
import type { ClientCall, FormIntake, WantedBody } from "./Exchange.ts"
import type { Frame } from "./Frame.ts"
import type { StreamTools } from "./StreamedAnswer.ts"

/** What uploads go through. */
export interface UploadTools extends Pick<StreamTools, "runFork"> {
  readonly spool: Spool["Type"]
}

/** A form without a boundary cannot be read by anybody. */
const noBoundary = new InvalidRequest({
  message:
    "The content-type calls the body a form and does not say its boundary, or not in one way. Let the client set content-type: it knows the boundary.",
  param: null,
})

/** The body would be read as JSON. One without a boundary may be that, under the wrong name. */
const takesJson = new InvalidRequest({
  message:
    "This endpoint takes JSON, and the request's content-type is multipart/form-data. Send a JSON object, as application/json.",
  param: null,
})

/** The boundary of a request's body, where that is a form and its operation takes one. */
export const formBoundary = (
  { form, keptAt }: ServedOperation,
  { "content-type": type }: ClientCall["headers"],
): Either.Either<string, InvalidRequest> | undefined => {
  if (type === undefined || !isFormType(type) || keptAt !== undefined) return undefined
  const boundary = boundaryOf(type)
  if (form === undefined) return boundary === undefined ? undefined : Either.left(takesJson)
  return boundary === undefined ? Either.left(noBoundary) : Either.right(boundary)
}

const misread = (fault: string): InvalidRequest => new InvalidRequest({ message: fault, param: null })

/** A form that is being taken. Mutable on purpose: one body. */
class TakenForm implements Intake {
  readonly #boundary: string
  readonly #reader: MultipartReader
  readonly #collector: FormCollector
  readonly #spooled: SpooledBody
  readonly #done: (form: Either.Either<Form, GatewayError>) => void
  #isWhole = false

  constructor(
    boundary: string,
    collector: FormCollector,
    spooled: SpooledBody,
    done: (form: Either.Either<Form, GatewayError>) => void,
  ) {
    this.#boundary = boundary
    this.#collector = collector
    this.#reader = new MultipartReader(boundary, collector)
    this.#spooled = spooled
    this.#done = done
  }

  write(bytes: Uint8Array): boolean {
    this.#reader.feed(bytes)
    if (this.#hasFailed()) return true
    return this.#spooled.write(bytes)
  }

  onDrain(go: () => void): void {
    this.#spooled.onDrain(go)
  }

  end(): void {
    this.#reader.end()
    if (!this.#hasFailed()) this.#spooled.end(() => this.#whole())
  }

  close(): void {
    if (!this.#isWhole) this.#spooled.close()
  }

  #hasFailed(): boolean {
    const { fault } = this.#reader
    if (fault !== undefined) this.#done(Either.left(misread(fault)))
    return fault !== undefined
  }

  #whole(): void {
    this.#isWhole = true
    const { parts } = this.#collector
    const closedAt = this.#reader.closedAt ?? 0
    this.#done(Either.right({ boundary: this.#boundary, parts, bytes: this.#spooled.bytes, closedAt }))
  }
}

const errorOf = (fault: SpoolFault): GatewayError => (fault.lacks === "memory" ? noMemory : noDisk)

const formIntake =
  (boundary: string, frame: Frame, { runFork, spool }: UploadTools): FormIntake =>
  (done) => {
    const { hold, opened, snapshot } = frame
    const { maxSpooledBytes } = snapshot.server
    const spooled = spool.begin({
      hold,
      claim: (bytes) => opened.claim(bytes, maxSpooledBytes),
      onFault: (fault) => {
        done(Either.left(errorOf(fault)))
        if (fault.lacks === "file") {
          const { code, detail } = fault
          const reason = { id: frame.draft.id, code, reason: detail }
          runFork(Effect.logWarning("an upload could not be kept in the temporary folder (TMPDIR)", reason))
        }
      },
    })
    frame.whenOver(() => spooled.close())
    return new TakenForm(boundary, new FormCollector(snapshot.audit.bodies === "full"), spooled, done)
  }

/** What is to be read of a request whose body is a form. */
export const wantedForm = (boundary: string, frame: Frame, tools: UploadTools): WantedBody => {
  const { maxBodyBytes, maxUploadBytes } = frame.snapshot.server
  const limit: BodyLimit =
    tools.spool.hasFiles || maxUploadBytes <= maxBodyBytes
      ? { limitBytes: maxUploadBytes, setBy: "max_upload_bytes" }
      : { limitBytes: maxBodyBytes, setBy: "max_body_bytes" }
  return { limit, hold: frame.hold, form: formIntake(boundary, frame, tools) }
}
