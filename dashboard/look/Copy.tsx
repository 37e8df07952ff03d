/** A button that copies a text, and says that it has. */
import { useEffect, useState } from "preact/hooks"

/** Browsers keep their clipboard from pages that came over plain HTTP from another machine; the old way works there. */
const copyBySelection = (text: string): boolean => {
  const area = document.createElement("textarea")
  area.value = text
  area.className = "unseen"
  document.body.append(area)
  area.select()
  const isCopied = document.execCommand("copy")
  area.remove()
  return isCopied
}

const copy = async (text: string): Promise<boolean> => {
  if (navigator.clipboard === undefined) return copyBySelection(text)
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyBySelection(text)
  }
}

/** How long it says what became of it. */
const saysMs = 1_500

export const Copy = ({ text, what }: { readonly text: string; readonly what: string }) => {
  const [said, setSaid] = useState<string>()
  useEffect(() => {
    if (said === undefined) return
    const timer = setTimeout(() => setSaid(undefined), saysMs)
    return () => clearTimeout(timer)
  }, [said])
  const press = async () => setSaid((await copy(text)) ? "Copied" : "Select it and copy by hand")
  return (
    <button type="button" class="quiet" aria-label={said ?? `Copy ${what}`} onClick={press}>
      {said ?? "Copy"}
    </button>
  )
}
