/**
 * Everything that can go wrong for a client. Each error is a class that declares how it is answered: status, words, code and headers, derived from its
 * data. faces/ has the shapes in which clients are told.
 */
import type {
  AccessDenied,
  AdminDenied,
  AdminRefused,
  PageRefused,
  UnsupportedMediaType,
} from "./AccessErrors.ts"
import type { Addressee } from "./faces/Face.ts"
import { faces } from "./faces/Faces.ts"
import type {
  DialectNotSpoken,
  EndpointLacking,
  InvalidRequest,
  MethodNotAllowed,
  ModelNotFound,
  NoUpgrade,
  RequestTooLarge,
  RequestTooSlow,
  RequestUnreadable,
  ResponseNotFound,
  TooManyValues,
  UnknownPath,
  UnsupportedEncoding,
} from "./RequestErrors.ts"
import type { InternalError, Overloaded, ShareTaken, ShuttingDown } from "./ServerErrors.ts"
import type {
  DeadlineExceeded,
  LoopDetected,
  UpstreamCredentialsRejected,
  UpstreamRefused,
  UpstreamTimeout,
  UpstreamUnreachable,
} from "./UpstreamErrors.ts"

export type GatewayError =
  | InvalidRequest
  | ModelNotFound
  | DialectNotSpoken
  | EndpointLacking
  | ResponseNotFound
  | AccessDenied
  | AdminDenied
  | AdminRefused
  | PageRefused
  | UnsupportedMediaType
  | RequestTooLarge
  | TooManyValues
  | UnsupportedEncoding
  | RequestUnreadable
  | UnknownPath
  | MethodNotAllowed
  | NoUpgrade
  | UpstreamRefused
  | UpstreamCredentialsRejected
  | UpstreamUnreachable
  | UpstreamTimeout
  | DeadlineExceeded
  | LoopDetected
  | Overloaded
  | RequestTooSlow
  | ShareTaken
  | ShuttingDown
  | InternalError

/** An error as it is answered. `body` is the bytes to send, always JSON. */
export interface ErrorAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** The error's declared status, headers and body; what an upstream says itself goes to the client, in the shape that it expects. */
export const answerOf = (error: GatewayError, { face: name, id }: Addressee): ErrorAnswer => {
  const { declared } = error
  const { status } = declared
  const face = faces[name]
  return {
    status,
    headers: { ...declared.headers, "content-type": "application/json" },
    body:
      (error._tag === "UpstreamRefused" ? face.shapedBody(error.body, status, id) : undefined) ??
      face.ownBody(declared, id),
  }
}

/** The declared `code` of an error, for logs; some have none. */
export const codeOf = (error: GatewayError): string | undefined => error.declared.code ?? undefined

/** What went wrong in one line, for logs and audit records. */
export const describe = (error: GatewayError): string => error.declared.message
