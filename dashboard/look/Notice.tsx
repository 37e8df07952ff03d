/** What is said instead of something: that there is nothing yet and what to do, or what went wrong. */
import type { ComponentChildren } from "preact"

interface Said {
  readonly title: string
  readonly children?: ComponentChildren
}

/** Nothing is there. */
export const Empty = ({ children, title }: Said) => (
  <div class="empty">
    <p class="title">{title}</p>
    {children}
  </div>
)

/** Something went wrong. */
export const Trouble = ({ children, title }: Said) => (
  <div class="trouble" role="alert">
    <p class="title">{title}</p>
    {children}
  </div>
)
