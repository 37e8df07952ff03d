/** A request while it is read: what is wrong with it, as its own dialect's servers say it, and what of it nobody else has. */
import { InvalidRequest } from "../errors/RequestErrors.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
import { Losses } from "./Losses.ts"

/** What a member has to be. */
export type Kind =
  | "text"
  | "number"
  | "integer"
  | "boolean"
  | "object"
  | "array"
  | "text_or_texts"
  | "text_or_object"
  | "text_or_objects"

export interface Fault {
  readonly message: string
  readonly code?: string
}

/** How a dialect's servers speak of what is wrong. */
export interface Manner {
  /** An item of a list: `messages.0`, `messages[0]`. */
  readonly itemOf: (list: string, at: number) => string
  /** In words that are said of this member alone. */
  readonly fault: (param: string, words: string) => Fault
  readonly missing: (param: string) => Fault
  /** Of another kind than it has to be. */
  readonly misfit: (param: string, kind: Kind, value: Json) => Fault
}

type Value = Json | undefined

const isTexts = (value: Json): boolean => isJsonArray(value) && value.every((one) => typeof one === "string")

const isText = (value: Json): boolean => typeof value === "string"

const fits: { readonly [K in Kind]: (value: Json) => boolean } = {
  text: isText,
  number: (value) => typeof value === "number",
  integer: Number.isSafeInteger,
  boolean: (value) => typeof value === "boolean",
  object: isJsonObject,
  array: isJsonArray,
  text_or_texts: (value) => isText(value) || isTexts(value),
  text_or_object: (value) => isText(value) || isJsonObject(value),
  text_or_objects: (value) => isText(value) || isJsonArray(value),
}

/** Mutable on purpose: one request. */
export class Reading {
  readonly foreign = new Losses()
  readonly #manner: Manner
  #fault: InvalidRequest | undefined

  constructor(manner: Manner) {
    this.#manner = manner
  }

  /** The first that was found. */
  get fault(): InvalidRequest | undefined {
    return this.#fault
  }

  itemOf(list: string, at: number): string {
    return this.#manner.itemOf(list, at)
  }

  wrong(param: string, words: string): undefined {
    return this.#found(param, () => this.#manner.fault(param, words))
  }

  missing(param: string): undefined {
    return this.#found(param, () => this.#manner.missing(param))
  }

  #found(param: string, fault: () => Fault): undefined {
    this.#fault ??= new InvalidRequest({ ...fault(), param })
    return undefined
  }

  /** Whether a member is absent, or of its kind; `null` is as good as nothing. What is not is told. */
  check(value: Value, param: string, kind: Kind): void {
    this.#read(value, (one) => (fits[kind](one) ? one : undefined), param, kind)
  }

  /** What is there, of its kind. */
  #read<A>(value: Value, is: (value: Json) => A | undefined, param: string, kind: Kind): A | undefined {
    if (value === undefined || value === null) return undefined
    return is(value) ?? this.#found(param, () => this.#manner.misfit(param, kind, value))
  }

  text(value: Value, param: string): string | undefined {
    return this.#read(value, (one) => (typeof one === "string" ? one : undefined), param, "text")
  }

  number(value: Value, param: string): number | undefined {
    return this.#read(value, (one) => (typeof one === "number" ? one : undefined), param, "number")
  }

  integer(value: Value, param: string): number | undefined {
    const whole = (one: Json) => (typeof one === "number" && Number.isSafeInteger(one) ? one : undefined)
    return this.#read(value, whole, param, "integer")
  }

  truth(value: Value, param: string): boolean | undefined {
    return this.#read(value, (one) => (typeof one === "boolean" ? one : undefined), param, "boolean")
  }

  object(value: Value, param: string): JsonObject | undefined {
    return this.#read(value, (one) => (isJsonObject(one) ? one : undefined), param, "object")
  }

  list(value: Value, param: string): ReadonlyArray<Json> | undefined {
    return this.#read(value, (one) => (isJsonArray(one) ? one : undefined), param, "array")
  }

  objects(value: Value, param: string): ReadonlyArray<JsonObject> | undefined {
    const list = this.list(value, param)
    const stranger = list?.findIndex((one) => !isJsonObject(one)) ?? -1
    if (stranger === -1) return list?.filter(isJsonObject)
    const at = this.itemOf(param, stranger)
    return this.#found(at, () => this.#manner.misfit(at, "object", list?.[stranger] ?? null))
  }
}
