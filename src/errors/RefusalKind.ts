/** What an upstream's refusal is about. */

export type RefusalKind =
  /** The key, or what its account may do. */
  | "credentials"
  /** The account behind the key has no credit or quota left. */
  | "billing"
  /** The model is asked too much of with this key. */
  | "limit"
  /** The model is not there, or not for this key. */
  | "missing_model"
  /** Something is not there, and nothing says that it is the model. */
  | "not_found"
  /** A moderation of the provider flagged the prompt. */
  | "moderation"
  /** Something before the provider let the request not through. */
  | "firewall"
  /** The request itself, something in it that is not done there, or nothing that is said. */
  | "request"
  /** The provider: it failed, or was too slow. */
  | "provider"
  /** It is elsewhere. */
  | "redirect"
