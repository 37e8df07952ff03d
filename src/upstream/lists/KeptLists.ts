/**
 * What is kept of lists of models, bounded in number and in bytes. Lists that are the same are kept once, whoever was given them; what was asked for once
 * goes before what is asked for again and again, so that keys which somebody makes up push out each other.
 */
import { createHash } from "node:crypto"
import { bytesOf, type Model } from "../../routing/ModelList.ts"

/** The most of the lists themselves, in bytes; and how many are known, what is known of each aside. */
export const mostListBytes = 32 * 1024 * 1024
const mostKnown = 1_000

interface SharedList {
  readonly models: ReadonlyArray<Model>
  readonly bytes: number
  /** How many keep it. */
  keepers: number
}

/** One that is known under its key: `A` is what is known of it beside its list. */
interface Known<A> {
  readonly about: A
  list: string | undefined
}

/** Mutable on purpose: one cache. */
export class KeptLists<A> {
  readonly #make: () => A
  readonly #mostBytes: number
  /** In the order in which they were asked for, the last one at the end: those that were asked for once, and the others. */
  readonly #once = new Map<string, Known<A>>()
  readonly #often = new Map<string, Known<A>>()
  readonly #lists = new Map<string, SharedList>()
  #bytes = 0

  constructor(make: () => A, mostBytes: number = mostListBytes) {
    this.#make = make
    this.#mostBytes = mostBytes
  }

  /** What its lists take, about. */
  get bytes(): number {
    return this.#bytes
  }

  /** What is known under this key, which is asked for. */
  ask(key: string): A {
    const before = this.#once.get(key) ?? this.#often.get(key)
    const known = before ?? { about: this.#make(), list: undefined }
    this.#once.delete(key)
    this.#often.delete(key)
    ;(before === undefined ? this.#once : this.#often).set(key, known)
    if (this.#once.size + this.#often.size > mostKnown) this.#forgetOne(key)
    return known.about
  }

  /** The list that is kept under a key, if it is still there. */
  models(key: string): ReadonlyArray<Model> | undefined {
    const known = this.#once.get(key) ?? this.#often.get(key)
    return known?.list === undefined ? undefined : this.#lists.get(known.list)?.models
  }

  /** Keeps a list under a key that was asked for, if that is still known. */
  keep(key: string, models: ReadonlyArray<Model>): void {
    const known = this.#once.get(key) ?? this.#often.get(key)
    if (known === undefined) return
    const digest = createHash("sha256").update(JSON.stringify(models)).digest("base64")
    if (known.list === digest) return
    this.#letGo(known)
    const same = this.#lists.get(digest)
    const list = same ?? { models, bytes: bytesOf(models), keepers: 0 }
    list.keepers += 1
    known.list = digest
    if (same === undefined) {
      this.#lists.set(digest, list)
      this.#bytes += list.bytes
    }
    while (this.#bytes > this.#mostBytes && this.#forgetOne(key));
  }

  /** Forgets the one that was asked for the longest time ago, of those asked for once first; not this one. */
  #forgetOne(butNot: string): boolean {
    for (const all of [this.#once, this.#often]) {
      for (const [key, known] of all) {
        if (key === butNot) continue
        all.delete(key)
        this.#letGo(known)
        return true
      }
    }
    return false
  }

  #letGo(known: Known<A>): void {
    const { list: digest } = known
    known.list = undefined
    const list = digest === undefined ? undefined : this.#lists.get(digest)
    if (digest === undefined || list === undefined || --list.keepers > 0) return
    this.#lists.delete(digest)
    this.#bytes -= list.bytes
  }
}
