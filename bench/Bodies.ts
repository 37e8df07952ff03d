/** What is asked. */

/** About so many bytes of a chat. */
export const chat =
  (bytes: number, stream = false) =>
  (model: string): string =>
    JSON.stringify({
      model,
      ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
      temperature: 0.7,
      messages: [
        { role: "system", content: "You are a helpful assistant." },
        { role: "user", content: "Tell me more. ".repeat(Math.ceil((bytes - 200) / 14)) },
      ],
    })
