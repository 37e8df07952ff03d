/** Where an upstream of the file answers, before the file is known to be good. */
import { presetCalled } from "../schema/Presets.ts"
import { below, type Tree, textOf } from "./Tree.ts"

/** Its `base_url`, else that of its preset; `undefined` where neither can be read. */
export const addressIn = (upstream: Tree): string | undefined =>
  textOf(below(upstream, "base_url")) ?? presetCalled(textOf(below(upstream, "preset")))?.baseUrl
