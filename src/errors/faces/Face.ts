/** A face: the shape in which those are told of errors who call in one family of APIs. */
import type { Declaration } from "../Declaration.ts"
import type { ShapedError } from "../SaidError.ts"

export type FaceName = "openai" | "anthropic"

/** Who is told of an error. */
export interface Addressee {
  readonly face: FaceName
  /** Of the request; `undefined` where it has none yet. */
  readonly id: string | undefined
}

/** What a face writes. `requestId` is told where the face has a place for it. */
export interface Face {
  /** The body of an error of this gateway's own. */
  readonly ownBody: (error: Declaration, requestId: string | undefined) => Uint8Array
  /** An upstream's error body: the same bytes where they have this face, else what they say in it; `undefined` where they say nothing in words. */
  readonly shapedBody: (
    bytes: Uint8Array,
    status: number,
    requestId: string | undefined,
  ) => Uint8Array | undefined
  /** The body, or the data of an event, that tells of an error which came with a good status. */
  readonly errorData: (error: ShapedError, requestId: string | undefined) => Uint8Array
}
