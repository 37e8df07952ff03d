/** What people call presets, dialects, keys and choices that have another name here: by what they know them from. */

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
  // Keys of the file.
  ["anthropic_clients", ["openai_clients"]],
  ["claude_clients", ["openai_clients"]],
  ["gemini_clients", ["openai_clients"]],
  ["llm_clients", ["openai_clients"]],
  ["upstreams", ["openai_clients"]],
  ["providers", ["openai_clients"]],
  ["backends", ["openai_clients"]],
  // Abilities, by what requests have for them.
  ["temperature", ["sampling"]],
  ["top_p", ["sampling"]],
  ["max_tokens", ["max_output"]],
  ["max_output_tokens", ["max_output"]],
  ["max_completion_tokens", ["max_output"]],
  ["reasoning", ["thinking"]],
  ["reasoning_effort", ["efforts"]],
  ["response_format", ["schemas"]],
  ["structured_outputs", ["schemas"]],
  ["json_schema", ["schemas"]],
  ["tool_choice", ["forced_tools"]],
  ["custom_tools", ["free_form_tools"]],
  // What becomes of what is not supported.
  ["error", ["reject"]],
  ["fail", ["reject"]],
  ["refuse", ["reject"]],
  ["ignore", ["drop"]],
  ["remove", ["drop"]],
])

/** All of them. */
export const otherNames: ReadonlyArray<string> = [...words.keys()]

/** The one of the choices that somebody means who calls it otherwise. */
export const meantBy = (word: string, choices: ReadonlyArray<string>): string | undefined =>
  words.get(word.toLowerCase())?.find((meant) => choices.includes(meant))
