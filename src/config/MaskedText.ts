/**
 * A configuration as its operator may see it in a browser: the file's keys and values without comments, references to the environment as they are
 * written, and no credential.
 */
import * as Either from "effect/Either"
import { stringify } from "yaml"
import { hasKeyForm } from "../secrets/KeyForm.ts"
import type { Secrets } from "../secrets/Secrets.ts"
import type { Scalar, Tree } from "./file/Tree.ts"
import { parseTree } from "./file/TreeReader.ts"
import { isSecretName } from "./SecretValues.ts"

const mask = "***"

/** Keys of this configuration below which every text is a credential. */
const secretKeys: ReadonlySet<string> = new Set(["api_key", "access_keys", "keys"])

/** The name of a header says nothing of a value that nobody should see. */
const headerMaps: ReadonlySet<string> = new Set(["headers"])

const reference = /\$\{[^}]*\}/g

/** References stay, without what stands for a variable that is not set; of all else, only the scheme of a credential. */
const maskedSecret = (source: string): string => {
  const rest = source.replace(reference, "").trim()
  const kept = source.replace(reference, (one) => one.replace(/:-.*\}$/s, `:-${mask}}`))
  if (rest === "" || /^(?:bearer|basic|token)$/i.test(rest)) return kept
  const references = kept.match(reference) ?? []
  return [...references, mask].join("")
}

/** An address without who logs in, and without the values of its query. */
const maskedAddress = (source: string): string =>
  source
    .replace(/\/\/[^/@]*@/, `//${mask}@`)
    .replace(/([?&][^=&#]*=)([^&#]*)/g, (_, name: string, value: string) => name + maskedSecret(value))

const maskedScalar = ({ source, value }: Scalar, isSecret: boolean): unknown => {
  if (typeof value !== "string") return isSecret && value !== null ? mask : value
  if (isSecret || hasKeyForm(source)) return maskedSecret(source)
  return source.includes("://") ? maskedAddress(source) : source
}

/** Of header names, those that say how something is sent and not by whom. */
const isPlainHeader = (name: string): boolean =>
  /^(?:user-agent|content-type|accept|x-title|http-referer)$/i.test(name)

const masked = (tree: Tree, isSecret: boolean, isHeader = false): unknown => {
  switch (tree._tag) {
    case "Scalar":
      return maskedScalar(tree, isSecret)
    case "List":
      return tree.items.map((item) => masked(item, isSecret))
    case "Mapping":
      return Object.fromEntries(
        [...tree.entries].map(([key, { value }]) => {
          const hides =
            isSecret || secretKeys.has(key) || isSecretName(key) || (isHeader && !isPlainHeader(key))
          return [key, masked(value, hides && !isNameOfHeader(key, value), headerMaps.has(key))]
        }),
      )
  }
}

/** `auth` names a header or a scheme, and is no credential. */
const isNameOfHeader = (key: string, value: Tree): boolean => key === "auth" && value._tag !== "List"

/** The text of a file as it may be seen; `secrets` are those of the configuration it says. */
export const maskedText = (text: string, secrets: Secrets): string => {
  const parsed = parseTree(text, {})
  if (Either.isLeft(parsed)) return ""
  return secrets.without(stringify(masked(parsed.right.root, false), { lineWidth: 0 }))
}
