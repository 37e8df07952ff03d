/** What keys of providers look like, for texts that are shown in logs and answers and must be none. Keys of other forms cannot be told from names. */

const forms = [
  // OpenAI, Anthropic, OpenRouter, Groq, Hugging Face, xAI, Perplexity, NVIDIA, Replicate, Together, Cerebras, GitHub.
  /^(?:sk|gsk|hf|xai|pplx|nvapi|r8|tgp|csk|ghp)[-_](?=.*\d)[\w-]{12,}$/,
  // Google, AWS.
  /^AIza[\w-]{20,}$/,
  /^(?:AKIA|ASIA)[A-Z0-9]{12,}$/,
  // A JSON Web Token.
  /^eyJ[\w-]{6,}\.[\w-]+\.[\w-]*$/,
  // Azure, Mistral, and others that are letters and digits alone.
  /^(?=.*\d)(?=.*[a-z])[A-Za-z0-9]{32,}$/i,
]

/** Whether a text as a whole is of the form of a key. */
export const hasKeyForm = (text: string): boolean => forms.some((form) => form.test(text))

/** A text with what has the form of a key between its slashes left out: paths and names of models, in which some write one by mistake. */
export const withoutKeyForms = (text: string): string =>
  text
    .split("/")
    .map((part) => (hasKeyForm(part) ? "[redacted]" : part))
    .join("/")
