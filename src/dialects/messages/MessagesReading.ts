/** A request in Anthropic's dialect while it is read: what is wrong with it, and what of it nobody else has. */
import { InvalidRequest } from "../../errors/RequestErrors.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { Losses } from "../Losses.ts"
import type { CacheMark } from "../Part.ts"

/** Mutable on purpose: one request. */
export class MessagesReading {
  readonly foreign = new Losses()
  #fault: InvalidRequest | undefined

  /** The first that was found. */
  get fault(): InvalidRequest | undefined {
    return this.#fault
  }

  wrong(param: string, words: string): undefined {
    this.#fault ??= new InvalidRequest({ message: `${param}: ${words}`, param })
    return undefined
  }

  /** What is there, of its kind; `null` is as good as nothing. */
  #read<A>(
    value: Json | undefined,
    is: (value: Json) => A | undefined,
    param: string,
    kind: string,
  ): A | undefined {
    if (value === undefined || value === null) return undefined
    return is(value) ?? this.wrong(param, `Input should be ${kind}`)
  }

  text(value: Json | undefined, param: string): string | undefined {
    return this.#read(value, (one) => (typeof one === "string" ? one : undefined), param, "a valid string")
  }

  number(value: Json | undefined, param: string): number | undefined {
    return this.#read(value, (one) => (typeof one === "number" ? one : undefined), param, "a valid number")
  }

  integer(value: Json | undefined, param: string): number | undefined {
    const whole = (one: Json) => (typeof one === "number" && Number.isSafeInteger(one) ? one : undefined)
    return this.#read(value, whole, param, "a valid integer")
  }

  truth(value: Json | undefined, param: string): boolean | undefined {
    return this.#read(value, (one) => (typeof one === "boolean" ? one : undefined), param, "a valid boolean")
  }

  object(value: Json | undefined, param: string): JsonObject | undefined {
    return this.#read(value, (one) => (isJsonObject(one) ? one : undefined), param, "an object")
  }

  list(value: Json | undefined, param: string): ReadonlyArray<Json> | undefined {
    return this.#read(value, (one) => (isJsonArray(one) ? one : undefined), param, "an array")
  }

  objects(value: Json | undefined, param: string): ReadonlyArray<JsonObject> | undefined {
    const list = this.list(value, param)
    const at = list?.findIndex((one) => !isJsonObject(one)) ?? -1
    return at === -1 ? list?.filter(isJsonObject) : this.wrong(`${param}.${at}`, "Input should be an object")
  }
}

/** The mark that the conversation is to be cached up to here. */
export const cacheOf = ({ cache_control: control }: JsonObject): CacheMark | undefined =>
  isJsonObject(control) ? (control["ttl"] === "1h" ? "1h" : "5m") : undefined

/** A part with the mark of its block. */
export const marked = <Part extends object>(
  part: Part,
  block: JsonObject,
): Part & { readonly cache?: CacheMark } => {
  const cache = cacheOf(block)
  return cache === undefined ? part : { ...part, cache }
}
