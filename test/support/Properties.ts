/** Runs before each file of tests. Effect's `FastCheck` is the same package, so what is set here holds for it as well. */
import fc from "fast-check"
import { howTried } from "./Runs.ts"

fc.configureGlobal(howTried)
