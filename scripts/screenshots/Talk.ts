/** What the callers of the screenshots' gateway ask, and what they are answered: a help desk, a programming agent, a search index. */

export interface Talk {
  readonly model: string
  readonly system: string
  readonly user: string
  readonly answer: string
}

export const talks: ReadonlyArray<Talk> = [
  {
    model: "gpt-5.1",
    system: "You answer customers of a bicycle shop. Be brief and friendly.",
    user: "My order 48213 was due on Tuesday and is not here yet. Can you tell me where it is?",
    answer:
      "I am sorry that it is late. Order 48213 left our warehouse on Monday and has been at the carrier's depot in Utrecht since this morning, so it should be with you tomorrow before noon. I have turned on text messages for this delivery. If it is not there by tomorrow evening, I will send a second one at once.",
  },
  {
    model: "claude-sonnet-5",
    system: "You review changes to a TypeScript code base.",
    user: "Does this hold under concurrent calls?\n\nlet pending: Promise<Token> | undefined\nexport const token = () => (pending ??= refresh())",
    answer:
      "Nearly. All callers share one refresh, which is what you want, but a refresh that fails is shared for ever: `pending` keeps the rejected promise, and every later call is given the same error. Clear it when it rejects:\n\nexport const token = () =>\n  (pending ??= refresh().catch((error) => {\n    pending = undefined\n    throw error\n  }))\n\nIt should also be cleared when the token expires.",
  },
  {
    model: "gpt-5.1-mini",
    system: "Sort the mail into one of: invoice, complaint, question, other. Answer with the word alone.",
    user: "Dear all, please find attached our invoice 2026-1187 for the maintenance of the lifts in November.",
    answer: "invoice",
  },
  {
    model: "deepseek-chat",
    system: "Translate into German. Keep names as they are.",
    user: "The tide gate at Hook of Holland closes at half past four and opens again before dawn.",
    answer:
      "Das Sperrtor bei Hoek van Holland schließt um halb fünf und öffnet vor der Morgendämmerung wieder.",
  },
]

export const talkOf = (model: string): Talk | undefined => talks.find((talk) => talk.model === model)
