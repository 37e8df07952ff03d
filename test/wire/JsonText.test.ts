/** Edits of JSON text: what `JSON.parse` sees afterwards, and that untouched members keep their very text. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Json } from "../../src/wire/Json.ts"
import { faultAt } from "../../src/wire/JsonFault.ts"
import {
  elementTexts,
  memberText,
  replaceElements,
  replaceMembers,
  rewrite,
} from "../../src/wire/JsonText.ts"
import { cpuMs } from "../support/CpuTime.ts"
import { runs } from "../support/Runs.ts"

const spaceArb = fc.constantFrom("", "", " ", "\n", "\t", " \r\n ")

/** A name as JSON text: plain, or with any of its letters escaped. */
const nameArb = fc
  .tuple(
    fc.oneof(
      fc.constantFrom("model", "stop", "a", "", "__proto__", "toString", '"', "\\\\", 'x"y', "{", "😀"),
      // Not a lone backslash, since `JSON.parse` is the oracle: once V8 13.6 (Node 24) and 14 (Node 26) have parsed an object with
      // that name, they take any escape in its place for it (`{"m":1,"\\":1}`, then `{"m":1,"\u007b":1}`).
      fc.string({ unit: "grapheme", maxLength: 5 }).filter((name) => name !== "\\"),
    ),
    fc.boolean(),
  )
  .map(([name, escaped]) => ({
    name,
    text: escaped
      ? `"${[...Array(name.length).keys()].map((i) => `\\u${name.charCodeAt(i).toString(16).padStart(4, "0")}`).join("")}"`
      : JSON.stringify(name),
  }))

/** A value as JSON text, spelled in ways that printing would not keep. */
const valueArb = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc.string({ unit: "binary" }).map((string) => JSON.stringify(string)),
  fc.constantFrom(
    "12345678901234567890",
    "1.0",
    "1e2",
    "-0",
    "1e999",
    '"\\ud800"',
    '"\\\\"',
    '"\\\\\\""',
    "[ ]",
    "{ }",
    '{"a":[{"}":"]"}]}',
    '["a\\",]", "}"]',
  ),
)

interface GeneratedMember {
  readonly name: string
  readonly value: string
  readonly text: string
}

const memberArb: fc.Arbitrary<GeneratedMember> = fc
  .tuple(nameArb, spaceArb, spaceArb, valueArb)
  .map(([name, before, after, value]) => ({
    name: name.name,
    value,
    text: `${name.text}${before}:${after}${value}`,
  }))

const objectArb = fc
  .tuple(fc.array(fc.tuple(spaceArb, memberArb, spaceArb), { maxLength: 6 }), spaceArb, spaceArb)
  .map(([members, before, after]) => ({
    members: members.map(([, member]) => member),
    text: `${before}{${members.map(([left, { text }, right]) => left + text + right).join(",")}${after}}${before}`,
  }))

const editsArb = fc.array(
  fc.tuple(
    nameArb.map(({ name }) => name),
    fc.option(valueArb, { nil: undefined }),
  ),
  { maxLength: 4 },
)

/** The members of a parsed object as a map, so that `__proto__` and order play no part. */
const parsedMembers = (text: string): Map<string, unknown> => {
  const parsed: unknown = JSON.parse(text)
  return new Map(Object.entries(Object(parsed)))
}

describe("replaceMembers", () => {
  it("replaces a value where it stands and keeps every other byte", () => {
    expect(
      replaceMembers('{ "seed" : 12345678901234567890,\n "model":"a" , "t":1.0 }', [["model", '"b"']]),
    ).toBe('{ "seed" : 12345678901234567890,\n "model":"b" , "t":1.0 }')
  })

  it("adds what is missing at the end, also to an empty object", () => {
    expect(replaceMembers('{"a":1 }', [["b", "2"]])).toBe('{"a":1,"b":2 }')
    expect(replaceMembers(" { } ", [["b", "2"]])).toBe(' {"b":2 } ')
  })

  it("removes first, middle, last and only members", () => {
    expect(replaceMembers('{"a":1,"b":2,"c":3}', [["a", undefined]])).toBe('{"b":2,"c":3}')
    expect(replaceMembers('{"a":1,"b":2,"c":3}', [["b", undefined]])).toBe('{"a":1,"c":3}')
    expect(replaceMembers('{"a":1,"b":2,"c":3}', [["c", undefined]])).toBe('{"a":1,"b":2}')
    expect(replaceMembers('{"a":1}', [["a", undefined]])).toBe("{}")
  })

  it("knows a member by an escaped name and leaves a duplicated one standing once", () => {
    expect(replaceMembers('{"mod\\u0065l":"a","x":1,"model":"b"}', [["model", '"c"']])).toBe(
      '{"mod\\u0065l":"c","x":1}',
    )
  })

  it("does not mistake nested members or braces in strings for its own", () => {
    const text = '{"a":{"model":"}"},"b":"\\"model\\":1","model":"x"}'
    expect(replaceMembers(text, [["model", '"y"']])).toBe(
      '{"a":{"model":"}"},"b":"\\"model\\":1","model":"y"}',
    )
  })

  it("walks a depth that would overflow a recursion", () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`
    expect(replaceMembers(`{"deep":${deep},"model":"a"}`, [["model", '"b"']])).toBe(
      `{"deep":${deep},"model":"b"}`,
    )
  })

  it("is linear in text full of escapes", () => {
    const escapes = JSON.stringify('\\"'.repeat(500_000))
    const used = cpuMs()
    expect(replaceMembers(`{"a":${escapes},"b":1}`, [["b", "2"]])).toBe(`{"a":${escapes},"b":2}`)
    // A few milliseconds; what is quadratic takes minutes.
    expect(used()).toBeLessThan(10_000)
  })

  it("law: parsing after the edit equals editing after the parse", () => {
    fc.assert(
      fc.property(objectArb, editsArb, ({ text }, edits) => {
        const expected = parsedMembers(text)
        for (const [name, value] of new Map(edits)) {
          if (value === undefined) expected.delete(name)
          else expected.set(name, JSON.parse(value))
        }
        expect(parsedMembers(replaceMembers(text, edits))).toEqual(expected)
      }),
      { numRuns: runs(500) },
    )
  })

  it("law: untouched members keep their text and order", () => {
    fc.assert(
      fc.property(objectArb, editsArb, ({ text, members }, edits) => {
        const touched = new Set(edits.map(([name]) => name))
        const edited = replaceMembers(text, edits)
        let from = 0
        for (const member of members.filter(({ name }) => !touched.has(name))) {
          const at = edited.indexOf(member.text, from)
          expect(at).toBeGreaterThanOrEqual(from)
          from = at + member.text.length
        }
      }),
      { numRuns: runs(500) },
    )
  })

  it("law: no edits, and removals of what is not there, change nothing", () => {
    fc.assert(
      fc.property(objectArb, ({ text }) => {
        expect(replaceMembers(text, [])).toBe(text)
        expect(replaceMembers(text, [["never generated", undefined]])).toBe(text)
      }),
    )
  })
})

describe("memberText and elementTexts", () => {
  it("law: a member's text is the last of its name", () => {
    fc.assert(
      fc.property(objectArb, ({ text, members }) => {
        for (const { name } of members) {
          expect(memberText(text, name)).toBe(members.findLast((member) => member.name === name)?.value)
        }
        expect(memberText(text, "never generated")).toBeUndefined()
      }),
    )
  })

  it("law: an array's elements come back as they were written", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(spaceArb, valueArb, spaceArb)), spaceArb, (elements, space) => {
        const text = `${space}[${space}${elements.map((element) => element.join("")).join(",")}]`
        expect(elementTexts(text)).toEqual(elements.map(([, value]) => value.trim()))
      }),
    )
  })

  it("law: an array whose elements are changed has those that are left, and is the text itself where none is", () => {
    const elementArb = fc.tuple(spaceArb, valueArb, spaceArb, fc.constantFrom("stays", "goes", "changes"))
    fc.assert(
      fc.property(fc.array(elementArb), spaceArb, (elements, space) => {
        const text = `${space}[${space}${elements.map((element) => element.slice(0, 3).join("")).join(",")}]`
        expect(replaceElements(text, (element) => element)).toBe(text)
        const changed = replaceElements(text, (element, at) => {
          const what = elements[at]?.[3]
          return what === "goes" ? undefined : what === "changes" ? '"new"' : element
        })
        const left = elements.flatMap(([, value, , what]) =>
          what === "goes" ? [] : [what === "changes" ? '"new"' : value.trim()],
        )
        expect(elementTexts(changed)).toEqual(left)
        expect(JSON.parse(changed)).toEqual(JSON.parse(`[${left.join(",")}]`))
      }),
    )
  })
})

describe("faultAt", () => {
  const parses = (text: string): boolean => {
    try {
      JSON.parse(text)
      return true
    } catch {
      return false
    }
  }

  it("names the character at fault", () => {
    const cases: ReadonlyArray<readonly [text: string, fault: number | undefined]> = [
      ["", 0],
      ["{}", undefined],
      [' {"a":[1,-0.5e3,true,null,"\\u00e9"]} ', undefined],
      ["hello", 0],
      ['{"a":tru}', 5],
      ['{"a":1,}', 7],
      ["[1,]", 3],
      ['{"a"', 4],
      ['{"a":"x', 7],
      ['{"a":1} x', 8],
      ['{"a":01}', 6],
      ["{'a':1}", 1],
      ['"a\nb"', 2],
      ['"\\x"', 1],
      ['"\\u12g4"', 1],
      ["[1}", 2],
      ["]", 0],
    ]
    for (const [text, fault] of cases) expect([text, faultAt(text)]).toEqual([text, fault])
  })

  it("law: it finds a fault exactly where JSON.parse fails, however the text was damaged", () => {
    const damagedArb = fc
      .tuple(
        fc.json(),
        fc.nat(),
        fc.constantFrom("", ",", '"', "}", "]", "{", "[", "\\", "0", "\n", "e", ":"),
      )
      .map(([text, at, character]) => {
        const place = at % (text.length + 1)
        return text.slice(0, place) + character + text.slice(place + (at % 2))
      })
    fc.assert(
      fc.property(fc.oneof(damagedArb, fc.json(), fc.string()), (text) => {
        expect(faultAt(text) === undefined).toBe(parses(text))
      }),
      { numRuns: runs(2_000) },
    )
  })

  it("law: the place lies in what was read so far, and nothing that follows moves it", () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.string(), (text, at, more) => {
        const place = at % (text.length + 1)
        const damaged = `${text.slice(0, place)}\u0000`
        const fault = faultAt(damaged)
        expect(fault).toBeLessThanOrEqual(place)
        expect(faultAt(damaged + more)).toBe(fault)
      }),
    )
  })
})

describe("rewrite", () => {
  const parsed = (text: string): Json => JSON.parse(text)

  it("keeps the spelling of what did not change, of duplicates and removed members too", () => {
    const text = '{ "a":1.0, "b":{"c":[1e2, {"d":2.0}] , "e":"\\u0041"}, "a":3.0 }'
    const before = parsed(text)
    const b = Object(before).b
    expect(rewrite(text, before, { ...Object(before), b: { ...b, e: "x" } })).toBe(
      '{ "a":1.0, "b":{"c":[1e2, {"d":2.0}] , "e":"x"}, "a":3.0 }',
    )
    expect(rewrite(text, before, { b })).toBe('{ "b":{"c":[1e2, {"d":2.0}] , "e":"\\u0041"} }')
    expect(rewrite(text, before, { ...Object(before), b: { ...b, c: [b.c[1]] } })).toBe(
      '{ "a":1.0, "b":{"c":[{"d":2.0}] , "e":"\\u0041"}, "a":3.0 }',
    )
  })

  it("law: spells the changed value, whatever changed", () => {
    const jsonArb = fc.json().map(parsed)
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), jsonArb),
        fc.array(jsonArb, { maxLength: 3 }),
        fc.nat(),
        jsonArb,
        (members, list, at, value) => {
          const text = JSON.stringify({ ...members, list })
          const before = parsed(text)
          const names = Object.keys(Object(before))
          const name = names[at % names.length] ?? "list"
          const items: ReadonlyArray<Json> = Object(before).list
          for (const after of [
            { ...Object(before), [name]: value },
            { ...Object(before), added: value },
            { ...Object(before), list: [...items, value] },
            { ...Object(before), list: items.slice(1) },
            { ...Object(before), list: items.map((item, i) => (i === at % 3 ? value : item)) },
          ]) {
            expect(parsed(rewrite(text, before, after))).toEqual(parsed(JSON.stringify(after)))
          }
        },
      ),
    )
  })
})
