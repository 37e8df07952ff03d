/** Who is not served, and what web pages may not. */
import * as Data from "effect/Data"
import { noSecrets } from "../secrets/Secrets.ts"
import { told } from "../secrets/Told.ts"
import type { Declaration } from "./Declaration.ts"

/** What to do about it is for who runs the gateway. */
const pageRefusal = ({ reason, told: from }: PageRefused): string => {
  const shown = told(from ?? "", noSecrets)
  if (reason === "origin" && shown === "null") {
    return "A web page that hides its origin (a file, or a sandboxed frame) asks, and this gateway, which asks for no access key, would let it spend what is not its own. Serve the page from http://localhost, or let who runs the gateway set server.access_keys."
  }
  return reason === "origin"
    ? `A web page${shown === "" ? " of another site" : ` of ${shown}`} asks, and this gateway, which asks for no access key, would let it spend what is not its own. Who runs the gateway can list the page's origin in server.cors, or set server.access_keys.`
    : `A request under the name ${shown} may come from a web page that let this name mean the gateway's address. Ask for localhost or an IP address, or let who runs the gateway list http://${shown} in server.cors, or set server.access_keys.`
}

/** Access keys are configured and the request carries none of them. */
export class AccessDenied extends Data.TaggedError("AccessDenied")<{
  readonly reason: "missing" | "wrong"
}> {
  get declared(): Declaration {
    return {
      status: 401,
      message:
        this.reason === "missing"
          ? "This gateway asks for an access key. Send it as `Authorization: Bearer <key>`."
          : "The access key sent is not one of this gateway's. Check the API key that your program sends.",
      type: "invalid_request_error",
      param: null,
      code: "invalid_api_key",
      headers: { "www-authenticate": "Bearer" },
    }
  }
}

/** Only operators are told this, and no key of theirs was sent. */
export class AdminDenied extends Data.TaggedError("AdminDenied")<{
  readonly reason: "missing" | "wrong"
}> {
  get declared(): Declaration {
    return {
      status: 401,
      message:
        this.reason === "missing"
          ? "Only operators see this. Send one of this gateway's admin.keys as `Authorization: Bearer <key>`, or sign in at /dashboard."
          : "The key sent is not one of this gateway's admin.keys. Access keys are for asking models, not for this.",
      type: "invalid_request_error",
      param: null,
      code: "invalid_admin_key",
      headers: { "www-authenticate": "Bearer" },
    }
  }
}

const adminRefusals = {
  shut: [
    "Only operators see this, and this gateway knows none. Let who runs it list a key in admin.keys, or give this a port of its own with admin.port.",
    "no_admin_key",
  ],
  origin: [
    "A page of another site asks for what only operators see. Open the gateway's own /dashboard, or list the page's origin in server.cors.",
    "origin_not_allowed",
  ],
  host: [
    "The name this was asked under may be a stranger's. Ask for localhost or an IP address, list the name in server.cors, or set admin.keys.",
    "host_not_allowed",
  ],
} as const

/** Only operators are told this: the configuration knows none, or a page asks that is none of the gateway's. */
export class AdminRefused extends Data.TaggedError("AdminRefused")<{
  readonly reason: keyof typeof adminRefusals
}> {
  get declared(): Declaration {
    const [message, code] = adminRefusals[this.reason]
    return { status: 403, message, type: "invalid_request_error", param: null, code }
  }
}

/** A web page asks that may not: by whose it is, or by the name it found the gateway under. */
export class PageRefused extends Data.TaggedError("PageRefused")<{
  readonly reason: "origin" | "host"
  /** As it came; absent where the browser told none. */
  readonly told: string | undefined
}> {
  get declared(): Declaration {
    return {
      status: 403,
      message: pageRefusal(this),
      type: "invalid_request_error",
      param: null,
      code: this.reason === "origin" ? "origin_not_allowed" : "host_not_allowed",
    }
  }
}

/** A web page sends a body of a type that browsers send without asking first. */
export class UnsupportedMediaType extends Data.TaggedError("UnsupportedMediaType")<{
  readonly contentType: string | undefined
}> {
  get declared(): Declaration {
    return {
      status: 415,
      message: `A web page sends its body as application/json, not as ${told(this.contentType ?? "nothing", noSecrets)}: any other type goes without the browser's asking first. Set content-type.`,
      type: "invalid_request_error",
      param: null,
      code: "unsupported_media_type",
    }
  }
}
