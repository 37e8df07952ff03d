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
  /** What is asked is not done there, at no time and for no model, or not at this path. */
  | "missing_endpoint"
  /** Something is not there, and nothing says that it is the model. */
  | "not_found"
  /** A moderation of the provider flagged the prompt. */
  | "moderation"
  /** Something before the provider let the request not through. */
  | "firewall"
  /** The request itself, or nothing that is said. */
  | "request"
  /** The provider: it failed, or was too slow. */
  | "provider"
  /** It would ask who asks it. */
  | "loop"
  /** It is elsewhere. */
  | "redirect"
