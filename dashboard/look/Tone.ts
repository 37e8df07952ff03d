/** How good something is, which has a colour: `off` is neither. */
export type Tone = "good" | "warn" | "bad" | "off"
