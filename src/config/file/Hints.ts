/** What a file says that is allowed and seldom meant: who is let in, texts that look like references, weights that GPT_API reads differently. */
import { parsedUrl } from "../../wire/ParsedUrl.ts"
import { isSecretName } from "../SecretValues.ts"
import { addressIn } from "./AddressIn.ts"
import { hostsOn } from "./KnownHosts.ts"
import type { Finding, Path, Severity } from "./Problem.ts"
import { fromFile, literally, type Saying, say } from "./Saying.ts"
import { below, type Scalar, type Tree, textOf } from "./Tree.ts"

const finding = (path: Path, severity: Severity, message: Saying): Finding => ({
  path,
  message,
  severity,
  atKey: false,
})

const itemsOf = (tree: Tree | undefined): ReadonlyArray<Tree> => (tree?._tag === "List" ? tree.items : [])

const upstreamsOf = (root: Tree): ReadonlyArray<Tree> => itemsOf(below(root, "openai_clients"))

/** A value that says something, be it known or not: neither null nor an empty text. */
const isGiven = (tree: Tree | undefined): tree is Scalar =>
  tree?._tag === "Scalar" && (tree.unset.length > 0 || (tree.value !== null && tree.value !== ""))

const holdsKey = (upstream: Tree): boolean => {
  const headers = below(upstream, "headers")
  return (
    isGiven(below(upstream, "api_key")) ||
    (headers?._tag === "Mapping" && [...headers.entries.keys()].some((name) => isSecretName(name)))
  )
}

/** Keys of upstreams, and none for callers. */
const openToEverybody = (root: Tree): ReadonlyArray<Finding> => {
  const keys = below(below(root, "server"), "access_keys")
  const isEmpty =
    keys === undefined ||
    (keys._tag === "Scalar" && keys.value === null && keys.malformed === undefined) ||
    (keys._tag === "List" && keys.items.length === 0)
  const holding = upstreamsOf(root).filter(holdsKey).length
  return isEmpty && holding > 0
    ? [
        finding(
          ["server", "access_keys"],
          "warning",
          say`empty, and ${holding} ${literally(holding === 1 ? "client has" : "clients have")} an api_key: everybody who reaches the gateway's port is served at your expense; list keys for your callers here`,
        ),
      ]
    : []
}

/** Shorter keys can be tried out. */
const shortestKey = 8

const keysAt = (root: Tree, section: string, key: string): ReadonlyArray<Tree> =>
  itemsOf(below(below(root, section), key))

/** Keys for callers and operators that keep nobody out. */
const weakKeys = (root: Tree): ReadonlyArray<Finding> => {
  const accessKeys = keysAt(root, "server", "access_keys")
  const ofCallers = new Set(accessKeys.map(textOf))
  const short = ([section, key, keys]: readonly [string, string, ReadonlyArray<Tree>]) =>
    keys.flatMap((tree, position) => {
      const length = textOf(tree)?.length ?? 0
      return length === 0 || length >= shortestKey
        ? []
        : [
            finding(
              [section, key, position],
              "warning",
              say`a key of ${length} ${literally(length === 1 ? "character" : "characters")} can be guessed; use a long random one, as \`openssl rand -hex 32\` makes`,
            ),
          ]
    })
  const adminKeys = keysAt(root, "admin", "keys")
  const shared = adminKeys.flatMap((tree, position) =>
    textOf(tree) && ofCallers.has(textOf(tree))
      ? [
          finding(
            ["admin", "keys", position],
            "error",
            say`this is an access key as well, so every caller with it is an operator; use another`,
          ),
        ]
      : [],
  )
  const ofUpstreams = new Set(upstreamsOf(root).map((upstream) => textOf(below(upstream, "api_key"))))
  const handedOut = accessKeys.flatMap((tree, position) =>
    textOf(tree) && ofUpstreams.has(textOf(tree))
      ? [
          finding(
            ["server", "access_keys", position],
            "warning",
            say`this is the api_key of a client as well, so callers can use it without this gateway; use another`,
          ),
        ]
      : [],
  )
  return [
    ...short(["server", "access_keys", accessKeys]),
    ...short(["admin", "keys", adminKeys]),
    ...shared,
    ...handedOut,
  ]
}

const originOf = (upstream: Tree): string | undefined => {
  const url = addressIn(upstream)
  return url === undefined ? undefined : parsedUrl(url)?.origin
}

/** A caller's key is for one provider; where several take it, it is sent to whichever is asked. */
const keysToStrangers = (root: Tree): ReadonlyArray<Finding> => {
  if (keysAt(root, "server", "access_keys").length > 0) return []
  const passing = [...upstreamsOf(root).entries()].filter(
    ([, upstream]) => !holdsKey(upstream) && !isOff(upstream),
  )
  const silent = passing.find(([, upstream]) => below(upstream, "pass_key") === undefined)
  const origins = new Set(passing.flatMap(([, upstream]) => originOf(upstream) ?? []))
  return silent === undefined || origins.size < 2
    ? []
    : [
        finding(
          ["openai_clients", silent[0]],
          "warning",
          say`${passing.length} clients without an api_key answer at ${origins.size} addresses, and a caller's own key goes to each of them that is asked, fallbacks included; write pass_key: true at each client that the key is meant for, and pass_key: false at the others`,
        ),
      ]
}

const isOff = (upstream: Tree): boolean => {
  const passKey = below(upstream, "pass_key")
  return passKey?._tag === "Scalar" && (passKey.value === false || passKey.value === "false")
}

/** `$NAME`, `$(NAME)` or `%NAME%` as a whole. */
const bare = /^(?:\$\(?([A-Za-z_]\w*)\)?|%([A-Z_][A-Z0-9_]*)%)$/

/** `$NAME` within a text, in capitals as variables are. */
const inner = /(?<![$\w])\$([A-Z_][A-Z0-9_]{2,})\b/

/** Texts of people's own, where a dollar means nothing. */
const freeTexts: ReadonlySet<string> = new Set([
  "special_prefix",
  "stop",
  "extra_body",
  "resume_body",
  "resume_message",
])

const lookLikeReferences = (tree: Tree, path: Path): ReadonlyArray<Finding> => {
  switch (tree._tag) {
    case "Scalar": {
      if (typeof tree.value !== "string" || tree.malformed !== undefined) return []
      const [, dollar, percent] = bare.exec(tree.source) ?? []
      const name = dollar ?? percent ?? inner.exec(tree.source)?.[1]
      if (name === undefined) return []
      // A password may begin with a dollar.
      const told = fromFile(`\${${name}}`, { as: (reference) => reference, otherwise: say`\${NAME}` })
      return [
        finding(
          path,
          "warning",
          say`this looks like a variable of the environment, but is used as it stands; write ${told}`,
        ),
      ]
    }
    case "List":
      return tree.items.flatMap((item, position) => lookLikeReferences(item, [...path, position]))
    case "Mapping":
      return [...tree.entries].flatMap(([key, { value }]) =>
        freeTexts.has(key) ? [] : lookLikeReferences(value, [...path, key]),
      )
  }
}

/** What an upstream matches, as far as it can be read. */
const valuesOf = (upstream: Tree): ReadonlyArray<string> =>
  itemsOf(below(below(upstream, "model_match"), "value")).flatMap((value) => textOf(value) ?? [])

/** Whether some model may be served by both. */
const mayMeet = (one: Tree, other: Tree): boolean =>
  valuesOf(one).some((a) => valuesOf(other).some((b) => a.includes(b) || b.includes(a)))

/** An upstream without a weight beside ones with it. */
const standbyInGptApi = (root: Tree): ReadonlyArray<Finding> => {
  const upstreams = upstreamsOf(root)
  const weighs = (upstream: Tree): boolean => isGiven(below(upstream, "priority"))
  const weighing = upstreams.filter(weighs)
  return upstreams.flatMap((upstream, position) =>
    weighs(upstream) || !weighing.some((other) => mayMeet(upstream, other))
      ? []
      : [
          finding(
            ["openai_clients", position],
            "note",
            say`without a priority the client's weight is 1 here; in GPT_API, beside clients that have one, it is a standby: write priority: 0 for a standby, or priority: 1`,
          ),
        ],
  )
}

/** Whether a value stands in the file as it is, and not as a reference to the environment. */
const isWrittenOut = (tree: Tree | undefined): boolean =>
  tree?._tag === "Scalar" && !tree.expanded && typeof tree.value === "string" && tree.value !== ""

/** Whether keys stand in a file as they are, so that whoever may read it has them. */
export const holdsKeys = (root: Tree): boolean =>
  upstreamsOf(root).some((upstream) => {
    const headers = below(upstream, "headers")
    const proxy = below(upstream, "proxy_url")
    return (
      isWrittenOut(below(upstream, "api_key")) ||
      (proxy?._tag === "Scalar" && isWrittenOut(proxy) && proxy.source.includes("@")) ||
      (headers?._tag === "Mapping" &&
        [...headers.entries].some(([name, { value }]) => isSecretName(name) && isWrittenOut(value)))
    )
  }) ||
  [below(below(root, "server"), "access_keys"), below(below(root, "admin"), "keys")]
    .flatMap(itemsOf)
    .some(isWrittenOut)

/** All hints on a file. */
export const hintsOn = (root: Tree): ReadonlyArray<Finding> => [
  ...openToEverybody(root),
  ...weakKeys(root),
  ...keysToStrangers(root),
  ...lookLikeReferences(root, []),
  ...standbyInGptApi(root),
  ...upstreamsOf(root).flatMap(hostsOn),
]
