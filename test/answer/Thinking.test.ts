/**
 * Thinking formats: examples, and the laws "however the text is cut, the same answer" and "nothing is held back that is decided",
 * against regular expressions over the whole text.
 */
import { readFileSync } from "node:fs"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Piece } from "../../src/answer/Piece.ts"
import { prefix } from "../../src/answer/Prefix.ts"
import { defaultMaxHeld, thinking, withoutThinking } from "../../src/answer/Thinking.ts"
import { compose, run } from "../../src/wire/Machine.ts"
import { runs } from "../support/Runs.ts"

const content = (text: string): Piece => ({ field: "content", text })
const reasoning = (text: string): Piece => ({ field: "reasoning", text })

/** What a client has in the end: the text of each field. */
interface Answer {
  readonly content: string
  readonly reasoning: string
}

const joined = (pieces: Iterable<Piece>): Answer => {
  const answer = { content: "", reasoning: "" }
  for (const { field, text } of pieces) answer[field] += text
  return answer
}

const strip = thinking("strip")
const toReasoning = thinking("reasoning")
const toTags = thinking("think_tag")

const stripped = (...texts: ReadonlyArray<string>) => joined(run(strip, texts.map(content))).content
const converted = (...texts: ReadonlyArray<string>) => joined(run(toReasoning, texts.map(content)))
const tagged = (...pieces: ReadonlyArray<Piece>) => joined(run(toTags, pieces)).content

/** The rules over a whole content, for `strip` and `reasoning`. */
const reference = (text: string): Answer => {
  const opening = /^[ \t\r\n]*<think>([\s\S]*?)(?:<\/think>[ \t\r\n]*|$)/.exec(text)
  const inner = [opening?.[1] ?? ""]
  let outside = ""
  let at = opening?.[0].length ?? 0
  // On a line of its own but for white space before; the line may have begun in what the opening block took.
  const later = /(?<=(?:^|\n)[ \t\r]*)<think>([\s\S]*?)<\/think>/g
  later.lastIndex = at
  for (let block = later.exec(text); block !== null; block = later.exec(text)) {
    outside += text.slice(at, block.index)
    inner.push(block[1] ?? "")
    at = block.index + block[0].length
  }
  return { content: outside + text.slice(at), reasoning: inner.join("") }
}

/** The rules over whole runs of one field, for `think_tag`. */
const referenceTags = (pieces: ReadonlyArray<Piece>): string => {
  const runs: Array<Piece> = []
  for (const piece of pieces.filter(({ text }) => text !== "")) {
    const last = runs.at(-1)
    if (last?.field === piece.field) runs[runs.length - 1] = { ...last, text: last.text + piece.text }
    else runs.push(piece)
  }
  let given = ""
  for (const { field, text } of runs) {
    const separator = /(^|\n)[ \t\r]*$/.test(given) ? "" : "\n"
    given += field === "content" ? text : `${separator}<think>${text}</think>`
  }
  return given
}

const fragments = [
  "<think>",
  "</think>",
  "<thi",
  "nk>",
  "</th",
  "ink>",
  "<",
  "</",
  ">",
  "think>",
  "<Think>",
  "<think >",
  "\n",
  "\n",
  "\n\n",
  " ",
  "\t",
  "\r\n",
  "a",
  "b",
  "answer",
  "```",
  "é",
  "😀",
  "\u00a0",
  "\n<think>",
  "</think>\n\n",
]

const textArb = fc.array(fc.constantFrom(...fragments), { maxLength: 14 }).map((parts) => parts.join(""))
const placesArb = fc.array(fc.nat(60), { maxLength: 10 })
const formatArb = fc.constantFrom("strip" as const, "reasoning" as const, "reasoning_content" as const)

/** Cuts by UTF-16 code units: inside tags and surrogate pairs too, and into empty texts. */
const cut = (text: string, places: ReadonlyArray<number>): ReadonlyArray<string> => {
  const sorted = [0, ...places.filter((place) => place <= text.length).sort((a, b) => a - b), text.length]
  return sorted.slice(1).map((end, i) => text.slice(sorted[i], end))
}

const piecesArb = fc.array(
  fc.record<Piece>({ field: fc.constantFrom("content" as const, "reasoning" as const), text: textArb }),
  { maxLength: 6 },
)

/** The same pieces, cut further. */
const cutPieces = (pieces: ReadonlyArray<Piece>, places: ReadonlyArray<number>): ReadonlyArray<Piece> =>
  pieces.flatMap(({ field, text }) => cut(text, places).map((part) => ({ field, text: part })))

describe("strip", () => {
  it("removes a block that opens the answer, and the white space around it", () => {
    expect(stripped("<think>\nhm\n</think>\n\nHello")).toBe("Hello")
    expect(stripped(" \n<think>hm</think> \r\n\tHello\n")).toBe("Hello\n")
    expect(stripped("<think></think>Hello")).toBe("Hello")
  })

  it("removes a later block that begins a line, and nothing but the block", () => {
    expect(stripped("Hello\n <think>hm</think>\nBye")).toBe("Hello\n \nBye")
    expect(stripped("<think>a</think>\n\nHello\n<think>b</think> Bye")).toBe("Hello\n Bye")
    expect(stripped("<think>a</think>\n<think>b</think>\nHello")).toBe("\nHello")
  })

  it("leaves tags inside lines alone: prose, code, and whatever follows a block on its line", () => {
    for (const text of [
      "The tag <think>x</think> is removed.",
      "`<think>` opens",
      "x<think>y</think>",
      "\u00a0<think>y</think>",
      "- <think>y</think>",
    ]) {
      expect(stripped(text)).toBe(text)
    }
    expect(stripped("<think>a</think><think>b</think>")).toBe("<think>b</think>")
  })

  it("leaves what only looks like a tag alone", () => {
    for (const text of [
      "<thinking>x</thinking>",
      "<Think>x</Think>",
      "< think>",
      "<think",
      "</think>",
      "<",
      "",
    ]) {
      expect(stripped(text)).toBe(text)
    }
  })

  it("ends a block at the first closing tag", () => {
    expect(stripped("<think>a<think>b</think>c</think>d")).toBe("c</think>d")
  })

  it("takes an unclosed block that opened the answer for thinking to its end", () => {
    expect(stripped("<think>never</thin")).toBe("")
  })

  it("gives a later block that never closes out whole", () => {
    const text = "Write\n<think>\nto begin, </thin"
    expect(stripped(text)).toBe(text)
    expect(stripped("Hello\n<think>a\n<think>b")).toBe("Hello\n<think>a\n<think>b")
  })

  it("gives an answer of white space out", () => {
    expect(stripped(" \n", " ")).toBe(" \n ")
  })

  it("lets reasoning pieces pass", () => {
    expect(run(strip, [reasoning("<think>hm"), content("Hello")])).toEqual([
      reasoning("<think>hm"),
      content("Hello"),
    ])
  })
})

describe("reasoning and reasoning_content", () => {
  it("give a block's inner text as reasoning, exactly", () => {
    expect(converted("<think>\nhm\n</think>\n\nHello")).toEqual({ content: "Hello", reasoning: "\nhm\n" })
    expect(converted("Hello\n<think> hm </think>\nBye")).toEqual({
      content: "Hello\n\nBye",
      reasoning: " hm ",
    })
  })

  it("take an unclosed block that opened the answer for reasoning to its end", () => {
    expect(converted("<think>never</thi")).toEqual({ content: "", reasoning: "never</thi" })
  })

  it("give the reasoning of the opening block out as it comes, and never in the middle of a tag", () => {
    expect(run(toReasoning, ["<th", "ink>a", "b<", "/c</thi", "nk>", " ", "d"].map(content))).toEqual([
      reasoning("a"),
      reasoning("b"),
      reasoning("</c"),
      content("d"),
    ])
  })

  it("keep the order in which content and reasoning came", () => {
    expect(run(toReasoning, [content("<think>a</think>b\n<think>c</think>d")])).toEqual([
      reasoning("a"),
      content("b\n"),
      reasoning("c"),
      content("d"),
    ])
  })
})

describe("think_tag", () => {
  it("writes reasoning before the content, as GPT_API does", () => {
    expect(tagged(reasoning("h"), reasoning("m"), content("Hel"), content("lo"))).toBe(
      "<think>hm</think>Hello",
    )
  })

  it("closes the block at the end where no content follows", () => {
    expect(tagged(reasoning("hm"))).toBe("<think>hm</think>")
    expect(tagged(reasoning("hm"), content(""))).toBe("<think>hm</think>")
  })

  it("begins a line for reasoning that comes later", () => {
    expect(tagged(reasoning("a"), content("Hello"), reasoning("b"), content("Bye"))).toBe(
      "<think>a</think>Hello\n<think>b</think>Bye",
    )
    expect(tagged(content("Hello\n "), reasoning("b"))).toBe("Hello\n <think>b</think>")
    expect(tagged(content(" "), reasoning("b"))).toBe(" <think>b</think>")
  })

  it("leaves content alone, tags in it too", () => {
    expect(tagged(content("<think>a"), content("</think>b"))).toBe("<think>a</think>b")
  })

  it("gives everything out at once, closing tags apart", () => {
    expect(run(toTags, [reasoning("a"), reasoning("b"), content("c")])).toEqual([
      content("<think>a"),
      content("b"),
      content("</think>c"),
    ])
  })
})

describe("laws of strip, reasoning and reasoning_content", () => {
  it("law: however the content is cut, the answer is the rules applied to the whole", () => {
    fc.assert(
      fc.property(textArb, placesArb, (text, places) => {
        const expected = reference(text)
        const { content: outside } = expected
        for (const parts of [cut(text, places), text.split("")]) {
          expect(converted(...parts)).toEqual(expected)
          expect(joined(run(strip, parts.map(content)))).toEqual({ content: outside, reasoning: "" })
        }
      }),
      { numRuns: runs(1500) },
    )
  })

  it("law: cut in two anywhere, the same answer", () => {
    for (const text of [
      " \n<think>\n<think>x</thin</think> \n <think>y</think>😀<think>\n\t<think>z</think>\n<think>w",
      "<think>a</think>b\r\n<think>c</think><think>d</think>\n<thi\n</think>",
    ]) {
      for (let i = 0; i <= text.length; i++) {
        expect(converted(text.slice(0, i), text.slice(i))).toEqual(reference(text))
      }
    }
  })

  it("law: with reasoning pieces in between, cutting changes nothing and strip leaves them whole", () => {
    fc.assert(
      fc.property(formatArb, piecesArb, placesArb, (format, pieces, places) => {
        const machine = thinking(format)
        const whole = joined(run(machine, pieces))
        expect(joined(run(machine, cutPieces(pieces, places)))).toEqual(whole)
        expect(whole.content).toBe(reference(joined(pieces).content).content)
        if (format === "strip") expect(whole.reasoning).toBe(joined(pieces).reasoning)
      }),
    )
  })

  it("law: without a `<` that begins a line nothing changes, and no piece waits", () => {
    fc.assert(
      fc.property(fc.array(textArb), (texts) => {
        const pieces = [content("x"), ...texts.map((text) => content(`${text.replaceAll("\n", "")}!`))]
        let state = strip.initial
        for (const piece of pieces) {
          const [next, given] = strip.step(state, piece)
          state = next
          expect(given).toEqual([piece])
        }
        expect(strip.halt(state)).toEqual([])
      }),
    )
  })

  /**
   * How a text may go on, chosen so that any two ways on differ where anything could: every rest of either tag, with and without
   * a block closing after it, and plain characters that are no white space.
   */
  const futures = ["", "a", "b", " c", "\nd"].concat(
    ["<think>", "</think>"].flatMap((tag) =>
      Array.from(tag, (_, i) => tag.slice(i)).flatMap((rest) => [rest, `${rest}e`, `${rest}f</think>g`]),
    ),
  )

  const commonPrefix = (texts: ReadonlyArray<string>): string =>
    texts.reduce((common, text) => {
      let i = 0
      while (i < common.length && common[i] === text[i]) i++
      return common.slice(0, i)
    })

  it("law: after any beginning, what has come out is all that its possible continuations agree on", () => {
    fc.assert(
      fc.property(textArb, placesArb, (text, places) => {
        const answers = futures.map((future) => reference(text + future))
        const decided: Answer = {
          content: commonPrefix(answers.map((answer) => answer.content)),
          reasoning: commonPrefix(answers.map((answer) => answer.reasoning)),
        }
        // What has come out without the end having been said.
        const soFar = (machine: typeof strip) =>
          joined(run({ ...machine, halt: () => [] }, cut(text, places).map(content)))
        expect(soFar(toReasoning)).toEqual(decided)
        expect(soFar(strip)).toEqual({ ...decided, reasoning: "" })
      }),
      { numRuns: runs(1500) },
    )
  })

  it("law: a state is a value, what is read from it later does not change it", () => {
    fc.assert(
      fc.property(formatArb, textArb, textArb, textArb, (format, before, one, other) => {
        const machine = thinking(format)
        const resumed = { ...machine, initial: machine.step(machine.initial, content(before))[0] }
        const expected = run(resumed, [content(one)])
        run(resumed, [content(other)])
        expect(run(resumed, [content(one)])).toEqual(expected)
      }),
    )
  })

  it("law: no surrogate pair is cut that came whole", () => {
    fc.assert(
      fc.property(textArb, placesArb, fc.integer({ min: 15, max: 24 }), (text, places, maxHeld) => {
        const parts = cut(text, places)
          .join("\u0000")
          .replace(/([\ud800-\udbff])\0+([\udc00-\udfff])/g, "$1$2")
        for (const { text: given } of run(
          thinking("reasoning", { maxHeld }),
          parts.split("\u0000").map(content),
        )) {
          expect(given).not.toMatch(/\p{Surrogate}/u)
        }
      }),
    )
  })
})

describe("the limit of what is held back", () => {
  it("gives a later block that grows too long out as text", () => {
    const machine = thinking("strip", { maxHeld: 30 })
    const text = "a\n<think>0123456789</think>b"
    expect(joined(run(machine, [content(text)])).content).toBe("a\nb")
    const long = "a\n<think>0123456789012345</think>b"
    expect(joined(run(machine, [content(long)])).content).toBe(long)
  })

  it("reads on after it: a block that begins then is a block", () => {
    const machine = thinking("strip", { maxHeld: 20 })
    const read = (text: string) => joined(run(machine, [content(text)])).content
    expect(read("a\n<think>0123456789012345\n<think>x</think>b")).toBe("a\n<think>0123456789012345\nb")
    // Here the limit falls just before the second tag.
    expect(read("a\n<think>012345678901\n<think>x</think>b")).toBe("a\n<think>012345678901\nb")
  })

  it("holds no more than that, of a block or of white space", () => {
    for (const [begin, rest] of [
      ["a\n<think>", "x"],
      ["", " "],
    ] as const) {
      const machine = thinking("strip", { maxHeld: 100 })
      let fed = begin.length
      let given = 0
      let [state, outputs] = machine.step(machine.initial, content(begin))
      for (let i = 0; i < 1000; i++) {
        given += joined(outputs).content.length
        expect(fed - given).toBeLessThanOrEqual(100)
        ;[state, outputs] = machine.step(state, content(rest))
        fed += rest.length
      }
      expect(given).toBeGreaterThan(900)
    }
  })

  it("law: however the text is cut, the limit falls in the same place and nothing is lost", () => {
    fc.assert(
      fc.property(textArb, placesArb, fc.integer({ min: 15, max: 24 }), (text, places, maxHeld) => {
        const machine = thinking("reasoning", { maxHeld })
        const whole = joined(run(machine, [content(text)]))
        expect(joined(run(machine, cut(text, places).map(content)))).toEqual(whole)
        expect(joined(run(machine, text.split("").map(content)))).toEqual(whole)
      }),
      { numRuns: runs(1000) },
    )
  })

  it("is reached in time that grows with the text", () => {
    const pieces = [content("a\n<think>")]
    for (let i = 0; i < defaultMaxHeld / 4 + 10; i++) pieces.push(content("😀<\n"))
    expect(joined(run(strip, pieces))).toEqual(joined(pieces))
  })
})

describe("laws of think_tag", () => {
  it("law: however the pieces are cut, each run of reasoning is one block, and content is as it was", () => {
    fc.assert(
      fc.property(piecesArb, placesArb, (pieces, places) => {
        const expected = { content: referenceTags(pieces), reasoning: "" }
        expect(joined(run(toTags, pieces))).toEqual(expected)
        expect(joined(run(toTags, cutPieces(pieces, places)))).toEqual(expected)
      }),
      { numRuns: runs(500) },
    )
  })

  const plainArb = textArb.map((text) => text.replaceAll("<", "").replaceAll("\u0000", ""))
  const back = compose(toTags, toReasoning)

  it("law: reasoning before content comes back from the tags as it was, with the content", () => {
    fc.assert(
      fc.property(plainArb, plainArb, placesArb, (thought, answer, places) => {
        const pieces = cutPieces([reasoning(thought), content(answer)], places)
        // White space between a block and the answer belongs to neither.
        const expected = thought === "" ? answer : answer.replace(/^[ \t\r\n]+/, "")
        expect(joined(run(back, pieces))).toEqual({ content: expected, reasoning: thought })
      }),
    )
  })

  it("law: all reasoning comes back however it alternates with content, which only gains line feeds", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(plainArb, plainArb), { maxLength: 4 }), (turns) => {
        const pieces = turns.flatMap(([thought, answer]) => [reasoning(thought), content(`!${answer}`)])
        const given = joined(run(back, pieces))
        expect(given.reasoning).toBe(joined(pieces).reasoning)
        expect(given.content.replaceAll("\n", "")).toBe(joined(pieces).content.replaceAll("\n", ""))
      }),
    )
  })
})

describe("prefix, then thinking", () => {
  it("law: however the text is cut, the rules apply to prefix and text", () => {
    fc.assert(
      fc.property(textArb, textArb, placesArb, (before, text, places) => {
        const machine = compose(prefix(before), toReasoning)
        const given = joined(run(machine, cut(text, places).map(content)))
        expect(given).toEqual(text === "" ? joined([]) : reference(before + text))
      }),
    )
  })
})

describe("the names of tags", () => {
  const tags = ["thought", "think", "think:x"]
  const named = (text: string) => joined(run(thinking("reasoning", { tags }), [content(text)]))

  it("are all read, each block closed by its own", () => {
    expect(named("<thought>a</think>b</thought>\n\nHello")).toEqual({
      content: "Hello",
      reasoning: "a</think>b",
    })
    expect(named("<think><thought>a</thought></think>b")).toEqual({
      content: "b",
      reasoning: "<thought>a</thought>",
    })
    expect(named("a\n<think:x>b</think>c</think:x>d")).toEqual({ content: "a\nd", reasoning: "b</think>c" })
  })

  it("are told from longer ones, from others and by case", () => {
    for (const text of ["<thoughts>a</thoughts>", "<thinking>a</thinking>", "<Thought>a</Thought>"]) {
      expect(named(text)).toEqual({ content: text, reasoning: "" })
    }
  })

  it("are written by think_tag as the first of them", () => {
    expect(joined(run(thinking("think_tag", { tags }), [reasoning("a"), content("b")])).content).toBe(
      "<thought>a</thought>b",
    )
  })

  const taggedArb = fc
    .array(
      fc.constantFrom(
        ...tags.flatMap((tag) => [`<${tag}>`, `</${tag}>`]),
        ...["<th", "</th", "<", ">", "ought>", "ink", ":x>", " ", "\n", "\r", "a", "😀"],
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(""))

  it("law: thinking in an earlier turn is what strip removes from an answer of that text, however it is cut", () => {
    fc.assert(
      fc.property(taggedArb, fc.shuffledSubarray(tags, { minLength: 1 }), placesArb, (text, some, places) => {
        const inHistory = withoutThinking(text, some)
        for (const parts of [[text], cut(text, places), text.split("")]) {
          const answered = joined(run(thinking("strip", { tags: some }), parts.map(content))).content
          expect(answered).toBe(inHistory)
        }
      }),
      { numRuns: runs(2_000) },
    )
  })
})

describe("docs/streams.md", () => {
  const docs = readFileSync(new URL("../../docs/streams.md", import.meta.url), "utf8")

  /** The cells of the table whose head begins with these words. */
  const rowsOf = (head: string): ReadonlyArray<ReadonlyArray<string>> => {
    const from = docs.indexOf(`| ${head} |`)
    const table = from === -1 ? "" : (docs.slice(from).split("\n\n")[0] ?? "")
    return table
      .trimEnd()
      .split("\n")
      .slice(2)
      .map((row) =>
        row
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      )
  }
  const codeOf = (cell = ""): string => cell.replace(/^`|`$/g, "").replaceAll("\\n", "\n")

  it("shows what strip and reasoning do", () => {
    const rows = rowsOf("content of the provider")
    expect(rows.length).toBe(7)
    for (const [given, outside, inner] of rows) {
      expect(converted(codeOf(given))).toEqual({ content: codeOf(outside), reasoning: codeOf(inner) })
      expect(stripped(codeOf(given))).toBe(codeOf(outside))
    }
  })

  it("shows what think_tag does", () => {
    const rows = rowsOf("the provider sends")
    expect(rows.length).toBe(3)
    for (const [given = "", expected] of rows) {
      const pieces = Array.from(given.matchAll(/(reasoning|content) `(.*?)`/g), ([, field, text = ""]) =>
        field === "content" ? content(text) : reasoning(text),
      )
      expect(tagged(...pieces)).toBe(codeOf(expected))
    }
  })
})
