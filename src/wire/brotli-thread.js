/**
 * The program of the thread that unpacks Brotli under a Node whose own decoder can be overrun. Rust's decoder in WebAssembly cannot write outside of
 * the memory it was given: the worst that bytes can do is to trap it. Each body has an instance of its own while it lasts; the next one takes it over, since
 * the memory of one that is dropped may stay for long.
 *
 * It is JavaScript, since Node runs it as it is, from the sources as from `dist`.
 */
import { existsSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { parentPort } from "node:worker_threads"

/** Unpacked bytes for one question: others have their turn in between. */
const outputBytes = 65_536

/** Beside the bundled program; in a checkout within its package. */
const beside = new URL("./brotli.wasm", import.meta.url)
const wasm = existsSync(beside)
  ? beside
  : createRequire(import.meta.url).resolve("brotli-dec-wasm/web/bg.wasm")
const module = new WebAssembly.Module(readFileSync(wasm))

/** What the instance asks of JavaScript, by names that its build numbers. Whatever is no plain error of a decoder ends it. */
const importsFor = (exportsOf) => {
  const give = (name) => {
    if (name.startsWith("__wbindgen_init_externref_table")) {
      return () => {
        const table = exportsOf().__wbindgen_externrefs
        const first = table.grow(4)
        table.set(0, undefined)
        for (const [at, value] of [undefined, null, true, false].entries()) table.set(first + at, value)
      }
    }
    if (name.startsWith("__wbg_Error_")) return () => new Error("Decompression failed")
    return () => {
      throw new Error("Decompression failed")
    }
  }
  const imports = {}
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {}
    imports[from][name] = give(name)
  }
  return imports
}

/** An instance, for one body after another. Its `step` takes bytes, and gives what it unpacked, how many it used, and whether that is all; nothing where they are no Brotli. */
const decoder = () => {
  let api
  api = new WebAssembly.Instance(
    module,
    importsFor(() => api),
  ).exports
  api.__wbindgen_start()
  let stream = api.brotlidecstream_new()
  return {
    step: (bytes) => {
      const input = api.__wbindgen_malloc(bytes.length, 1) >>> 0
      new Uint8Array(api.memory.buffer).set(bytes, input)
      const [result, error, isError] = api.brotlidecstream_dec(stream, input, bytes.length, outputBytes)
      if (isError) {
        api.__externref_table_dealloc(error)
        return undefined
      }
      const code = api.__wbg_get_brotlistreamresult_code(result)
      const used = api.__wbg_get_brotlistreamresult_input_offset(result) >>> 0
      const [at, length] = api.__wbg_get_brotlistreamresult_buf(result)
      const output = new Uint8Array(api.memory.buffer, at >>> 0, length >>> 0).slice()
      api.__wbindgen_free(at, length, 1)
      api.__wbg_brotlistreamresult_free(result, 0)
      return { output, used, isWhole: code === 1, hasMore: code === 3 }
    },
    /** Makes it ready for the next body. */
    renew: () => {
      api.__wbg_brotlidecstream_free(stream, 0)
      stream = api.brotlidecstream_new()
    },
  }
}

const decoders = new Map()
const idle = []

const answer = ({ bytes, id }) => {
  if (bytes === undefined) {
    const over = decoders.get(id)
    decoders.delete(id)
    if (over === undefined) return
    over.renew()
    idle.push(over)
    return
  }
  try {
    const one = decoders.get(id) ?? idle.pop() ?? decoder()
    decoders.set(id, one)
    const step = one.step(bytes)
    parentPort.postMessage({ id, step }, step === undefined ? [] : [step.output.buffer])
  } catch {
    // Trapped, it may be in any state, and goes with all its memory.
    decoders.delete(id)
    parentPort.postMessage({ id, step: undefined })
  }
}

parentPort.on("message", answer)
