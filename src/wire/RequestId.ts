/** An id that somebody else gave to a request. */

const requestId = /^[A-Za-z0-9._:-]{1,128}$/

/** A request's id, if it is one that can stand in headers, logs and rows: 1 to 128 letters, digits, `.`, `_`, `:`, `-`. */
export const sanitizeRequestId = (value: string | undefined): string | undefined =>
  value !== undefined && requestId.test(value) ? value : undefined
