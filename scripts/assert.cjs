/**
 * `node:assert` of the programs, in which undici asserts things of what a provider sends. What fails here is an ordinary error: Node 20 words an
 * AssertionError by reading the program at that place and parsing it, which takes up to a minute, and nobody is served meanwhile.
 */
"use strict"

module.exports = (value, message) => {
  if (value) return
  throw message instanceof Error
    ? message
    : Object.assign(new Error(message ?? "an assertion failed"), { code: "ERR_ASSERTION" })
}
