/** Runs before each file of tests. */
import { effect, flakyTest, it, layer, prop, scoped } from "@effect/vitest"
import fc from "fast-check"
import { howTried } from "./Runs.ts"

// Effect's `FastCheck` is the same package: it holds there as well.
fc.configureGlobal(howTried)

// Files share a process, and what `layer` gives to its tests is `it` itself, changed for good: the next file would have that layer.
Object.assign(it, { effect, flakyTest, layer, prop, scoped })
