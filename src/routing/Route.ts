/** From a model name to the upstreams that serve it: an index computed once per configuration, and its look-up. */
import type { ModelMatch, Upstream } from "./Upstream.ts"

/** An upstream and where it stands in the configuration. */
interface Placed {
  readonly position: number
  readonly upstream: Upstream
}

/** A node of the tree of keywords, one UTF-16 unit a level; `ends` holds the upstreams whose keyword ends here. */
interface KeywordNode {
  readonly next: ReadonlyMap<number, KeywordNode>
  readonly ends: ReadonlyArray<Placed>
}

/** All upstreams, and what finds those that serve a model without asking each of them. */
export interface RoutingTable {
  /** In the order of the configuration. */
  readonly upstreams: ReadonlyArray<Upstream>
  readonly byName: ReadonlyMap<string, Upstream>
  readonly exact: ReadonlyMap<string, ReadonlyArray<Placed>>
  readonly keywords: KeywordNode
  /** The model that is meant by who names none: the only one that is named here, or what the only upstream has first. */
  readonly onlyModel: string | undefined
}

interface GrowingNode extends KeywordNode {
  readonly next: Map<number, GrowingNode>
  readonly ends: Array<Placed>
}

const emptyNode = (): GrowingNode => ({ next: new Map(), ends: [] })

/** The node at the end of `keyword`, grown where it is missing. */
const grow = (root: GrowingNode, keyword: string): GrowingNode => {
  let node = root
  for (let at = 0; at < keyword.length; at++) {
    const unit = keyword.charCodeAt(at)
    let child = node.next.get(unit)
    if (child === undefined) {
      child = emptyNode()
      node.next.set(unit, child)
    }
    node = child
  }
  return node
}

const onlyModelOf = (
  upstreams: ReadonlyArray<Upstream>,
  named: ReadonlyMap<string, unknown>,
): string | undefined => {
  const [name, another] = named.keys()
  if (name !== undefined && another === undefined) return name
  const [upstream, other] = upstreams
  return other === undefined ? upstream?.match.values[0] : undefined
}

/** The table of `upstreams`. Of several with one name (which a checked configuration does not have) the first is `byName`. */
export const makeRoutingTable = (upstreams: ReadonlyArray<Upstream>): RoutingTable => {
  const byName = new Map<string, Upstream>()
  const exact = new Map<string, Array<Placed>>()
  const keywords = emptyNode()
  for (const [position, upstream] of upstreams.entries()) {
    if (!byName.has(upstream.name)) byName.set(upstream.name, upstream)
    const placed: Placed = { position, upstream }
    for (const value of new Set(upstream.match.values)) {
      if (upstream.match.type === "keyword") {
        grow(keywords, value).ends.push(placed)
      } else {
        const sharing = exact.get(value)
        if (sharing === undefined) exact.set(value, [placed])
        else sharing.push(placed)
      }
    }
  }
  return { upstreams, byName, exact, keywords, onlyModel: onlyModelOf(upstreams, exact) }
}

/** The first value of `match` that admits `model`: equal to it (`exact`) or contained in it (`keyword`), case-sensitive. */
export const matchingValue = (match: ModelMatch, model: string): string | undefined =>
  match.values.find((value) => (match.type === "exact" ? value === model : model.includes(value)))

/** Whether `upstream` serves `model`. */
export const matches = (upstream: Upstream, model: string): boolean =>
  matchingValue(upstream.match, model) !== undefined

/**
 * The upstreams that serve `model`, in the order of the configuration. The cost depends on the length of the model name and on
 * how many upstreams match, not on how many there are: one look-up finds the exact matches, one walk of the keyword tree from
 * each position of the name finds every keyword in it.
 */
export const route = (table: RoutingTable, model: string): ReadonlyArray<Upstream> => {
  const { exact, keywords } = table
  // The client chooses the name: a keyword that stands in it a million times must not be collected a million times.
  const ended = new Set<KeywordNode>()
  if (keywords.ends.length > 0) ended.add(keywords)
  if (keywords.next.size > 0) {
    for (let start = 0; start < model.length; start++) {
      let node = keywords.next.get(model.charCodeAt(start))
      for (let at = start + 1; node !== undefined; at++) {
        if (node.ends.length > 0) ended.add(node)
        // Past the end `charCodeAt` is NaN, which no node has.
        node = node.next.get(model.charCodeAt(at))
      }
    }
  }
  const found = [...(exact.get(model) ?? [])]
  for (const { ends } of ended) for (const placed of ends) found.push(placed)
  return inOrder(found)
}

/** Sorted by position, each upstream once: several of its keywords may stand in the name. */
const inOrder = (found: Array<Placed>): ReadonlyArray<Upstream> => {
  if (found.length > 1) found.sort((a, b) => a.position - b.position)
  const upstreams: Array<Upstream> = []
  for (const { upstream } of found) if (upstreams.at(-1) !== upstream) upstreams.push(upstream)
  return upstreams
}
