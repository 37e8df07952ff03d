/** The configuration in force as its operator sees it, and what is wrong with its file where that says something else. */
import type { ConfigStatus, ConfigTold } from "../config/CurrentConfig.ts"
import { publicly, toOperator } from "../config/file/Saying.ts"
import { maskedText } from "../config/MaskedText.ts"
import type { Snapshot } from "../config/Snapshot.ts"
import type { ConfigReport } from "./api/ConfigReport.ts"

const instant = (at: number): string => new Date(at).toISOString()

/** Words of the file may be told where no secret of it is in them: whoever asks is its operator. */
export const configTold = (
  { secrets, hash }: Snapshot,
  { generation, lastError, lastErrorAt, loadedAt }: ConfigStatus,
  { path, problems, text }: ConfigTold,
): ConfigReport => ({
  file: path.replace(/^.*[/\\]/, ""),
  generation,
  loaded_at: instant(loadedAt),
  hash,
  text: maskedText(text, secrets),
  refusal:
    lastError === null
      ? null
      : {
          at: lastErrorAt === null ? null : instant(lastErrorAt),
          message: lastError,
          problems: problems.map(({ column, line, message, path: place, severity }) => ({
            line,
            column,
            path: secrets.without(publicly(place)),
            severity,
            message: secrets.without(toOperator(message)),
          })),
        },
})
