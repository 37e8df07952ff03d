/** The configuration in force, and what is wrong with its file where that is another. */
import type { ConfigReport } from "../../src/admin/api/ConfigReport.ts"
import { config } from "../api/Admin.ts"
import { useAnswer } from "../api/Asking.ts"
import { Ago } from "../look/Ago.tsx"
import { Copy } from "../look/Copy.tsx"
import { Trouble } from "../look/Notice.tsx"

const againMs = () => 5_000

const Refusal = ({ refusal }: { readonly refusal: NonNullable<ConfigReport["refusal"]> }) => (
  <Trouble title="The file on disk is not in force. The configuration below serves on.">
    <p>
      {refusal.problems.length === 0 && refusal.message}
      {refusal.at !== null && (
        <>
          {" "}
          Found <Ago at={refusal.at} />.
        </>
      )}
    </p>
    {refusal.problems.length > 0 && (
      <ul class="problems">
        {refusal.problems.map(({ column, line, message, path, severity }, index) => (
          <li key={index}>
            <span class="code num">{`line ${line}:${column}`}</span>
            {severity !== "error" && <span class="chip warn">{severity}</span>}
            {path !== "" && <b class="code">{path}</b>}
            <span>{message}</span>
          </li>
        ))}
      </ul>
    )}
  </Trouble>
)

const Text = ({ text }: { readonly text: string }) => (
  <>
    <p class="muted">As it was read: without comments and secrets, so its lines are not those of the file.</p>
    <div class="raw">
      <Copy text={text} what="configuration" />
      <pre class="numbered">
        {text
          .trimEnd()
          .split("\n")
          .map((line, index) => (
            <span key={index} class="line">
              {`${line}\n`}
            </span>
          ))}
      </pre>
    </div>
  </>
)

export const ConfigPage = () => {
  const { problem, value } = useAnswer(config, {}, againMs)
  return (
    <div class="page">
      {problem !== undefined && <Trouble title={problem.message} />}
      {value !== undefined && (
        <>
          {value.refusal !== null && <Refusal refusal={value.refusal} />}
          <dl class="tiles">
            <div>
              <dt>File</dt>
              <dd class="code">{value.file}</dd>
            </div>
            <div>
              <dt>In force since</dt>
              <dd>
                <Ago at={value.loaded_at} />
              </dd>
            </div>
            <div>
              <dt>Generation</dt>
              <dd class="num">{value.generation}</dd>
            </div>
            <div>
              <dt>Hash</dt>
              <dd class="code">{value.hash}</dd>
            </div>
          </dl>
          <Text text={value.text} />
        </>
      )}
    </div>
  )
}
