/** The items of a streamed response, as its events speak of them: by place, by id, by both or by neither. */
import type { JsonObject } from "../../wire/Json.ts"
import { numberIn, saidIn, textIn } from "../Members.ts"

/** What was said of one text of an item. */
export interface SaidText {
  /** UTF-16 units. */
  length: number
  /** What was said last. */
  last: string
}

/** What tells reasoning: itself, or its summary. */
export type Voice = "content" | "summary"

/** Mutable on purpose: one item. */
export interface StreamedItem {
  readonly key: string
  /** As it was called first: several hosts call it otherwise in each event. */
  readonly id: string | undefined
  type: string | undefined
  /** By the place of the text in it. */
  readonly said: Map<number, SaidText>
  /** How many of a text's citations were told. */
  readonly cited: Map<number, number>
  /** The part that was begun last. */
  partKey: string | undefined
  voice: Voice | undefined
  /** The section of reasoning that was told last. */
  section: number
  isBegun: boolean
  isDone: boolean
}

/** What it takes to know an item, in UTF-16 units. */
const itemWeight = 512

/** Mutable on purpose: one stream. */
export class StreamedItems {
  readonly #keep: (units: number) => void
  readonly #all: Array<StreamedItem> = []
  readonly #byPlace = new Map<number, StreamedItem>()
  readonly #byId = new Map<string, StreamedItem>()

  /** @param keep is told how much each takes */
  constructor(keep: (units: number) => void) {
    this.#keep = keep
  }

  /** The item of a delta: of its place, or else of its id, or else the last. */
  of(event: JsonObject): StreamedItem {
    const [place, id] = [numberIn(event["output_index"]), saidIn(event["item_id"])]
    return this.#known(place, id) ?? this.#new(place, id, undefined)
  }

  /** The item that an event begins. A place that has one is given to the next by hosts that do not count. */
  begun(event: JsonObject, item: JsonObject): StreamedItem {
    const [place, id] = [numberIn(event["output_index"]), saidIn(item["id"])]
    const known = place === undefined && id === undefined ? undefined : this.#known(place, id)
    return known === undefined || known.isDone || isOther(known, id)
      ? this.#new(place, id, textIn(item["type"]))
      : typed(known, item)
  }

  /** The item that an event tells the end of. */
  ended(event: JsonObject, item: JsonObject): StreamedItem {
    const [place, id] = [numberIn(event["output_index"]), saidIn(item["id"])]
    const known = this.#known(place, id)
    return known === undefined || (known.isDone && isOther(known, id))
      ? this.#new(place, id, textIn(item["type"]))
      : typed(known, item)
  }

  /** To each item of the whole response the one that was streamed: that of its id, or else the next of its type that is no other's; or a new one. */
  whole(output: ReadonlyArray<JsonObject>): ReadonlyArray<readonly [StreamedItem, JsonObject]> {
    const ids = new Set(output.map(({ id }) => textIn(id)))
    const unnamed = new Map<string, Array<StreamedItem>>()
    for (const item of this.#all) {
      if (item.type === undefined || (item.id !== undefined && ids.has(item.id))) continue
      const others = unnamed.get(item.type)
      if (others === undefined) unnamed.set(item.type, [item])
      else others.push(item)
    }
    for (const others of unnamed.values()) others.reverse()
    return output.map((item) => {
      const id = saidIn(item["id"])
      const type = textIn(item["type"])
      const known = id === undefined ? undefined : this.#byId.get(id)
      return [known ?? unnamed.get(type ?? "")?.pop() ?? this.#new(undefined, id, type), item] as const
    })
  }

  #known(place: number | undefined, id: string | undefined): StreamedItem | undefined {
    if (place !== undefined) return this.#byPlace.get(place)
    return id === undefined ? this.#all.at(-1) : this.#byId.get(id)
  }

  #new(place: number | undefined, id: string | undefined, type: string | undefined): StreamedItem {
    this.#keep(itemWeight + (id?.length ?? 0))
    const item: StreamedItem = {
      key: `${this.#all.length}`,
      id,
      type,
      said: new Map(),
      cited: new Map(),
      partKey: undefined,
      voice: undefined,
      section: 0,
      isBegun: false,
      isDone: false,
    }
    this.#all.push(item)
    if (place !== undefined) this.#byPlace.set(place, item)
    if (id !== undefined) this.#byId.set(id, item)
    return item
  }
}

const isOther = (known: StreamedItem, id: string | undefined): boolean =>
  id !== undefined && known.id !== undefined && known.id !== id

const typed = (known: StreamedItem, item: JsonObject): StreamedItem => {
  known.type ??= textIn(item["type"])
  return known
}
