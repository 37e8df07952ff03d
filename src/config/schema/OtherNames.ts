/** What people call presets, dialects and keys that have another name here: by what they know them from. */

/** Each with the words it may be meant as, of which a place takes one at most. */
const words: ReadonlyMap<string, ReadonlyArray<string>> = new Map([
  ["anthropic", ["messages"]],
  ["claude", ["anthropic", "messages"]],
  ["openai", ["chat"]],
  ["chatgpt", ["openai", "chat"]],
  ["chat.completions", ["chat"]],
  ["chat_completions", ["chat"]],
  ["chat-completions", ["chat"]],
  ["chat/completions", ["chat"]],
  ["completions", ["chat"]],
  ["google", ["gemini"]],
  ["vertex", ["gemini"]],
  ["aws", ["bedrock"]],
  ["amazon", ["bedrock"]],
  ["microsoft", ["azure"]],
  ["grok", ["xai"]],
  ["x.ai", ["xai"]],
  ["kimi", ["moonshot"]],
  ["glm", ["zai"]],
  ["zhipu", ["zai"]],
  ["qwen", ["dashscope"]],
  ["alibaba", ["dashscope"]],
  ["doubao", ["volcengine"]],
  ["hf", ["huggingface"]],
])

/** All of them. */
export const otherNames: ReadonlyArray<string> = [...words.keys()]

/** The one of the choices that somebody means who calls it otherwise. */
export const meantBy = (word: string, choices: ReadonlyArray<string>): string | undefined =>
  words.get(word.toLowerCase())?.find((meant) => choices.includes(meant))
