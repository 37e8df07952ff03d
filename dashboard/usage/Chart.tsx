/** A curve, drawn by uPlot on a canvas. */
import "uplot/dist/uPlot.min.css"
import { useEffect, useRef } from "preact/hooks"
import UPlot from "uplot"
import { short } from "../words/Numbers.ts"
import type { Curve } from "./Curve.ts"

const height = 220

const colourOf = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim()

const dayMs = 86_400_000

const inUtc = (options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options })

const dayWords = inUtc({ day: "numeric", month: "short" })
const hourWords = inUtc({ hour: "2-digit", minute: "2-digit" })
const bothWords = inUtc({
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
})

/** A mark below the curve: the hour, and the day where it begins. */
const markAt = (seconds: number): string =>
  (seconds * 1000) % dayMs === 0 ? dayWords.format(seconds * 1000) : hourWords.format(seconds * 1000)

const axis = (): UPlot.Axis => ({
  stroke: colourOf("--muted"),
  grid: { stroke: colourOf("--line"), width: 1 },
  ticks: { show: false },
  font: "11px system-ui, sans-serif",
})

/** Steps between marks, in seconds; those of days have none within a day. */
const stepsOf = (isByDay: boolean): Array<number> =>
  (isByDay ? [1, 2, 7, 14, 28].map((days) => days * 24) : [1, 2, 3, 6, 12, 24]).map((hours) => hours * 3600)

/** What the legend says of the point under the pointer; nothing where there is none. */
const shownAt = (_: unknown, value: number | null): string => (value === null ? "" : short(value))

const optionsFor = (width: number, label: string, isByDay: boolean): UPlot.Options => ({
  width,
  height,
  padding: [12, 26, 0, 0],
  // The audit counts by the days of UTC.
  tzDate: (seconds) => UPlot.tzDate(new Date(seconds * 1000), "UTC"),
  legend: { show: true, live: true },
  cursor: { y: false, points: { size: 6 } },
  scales: { y: { range: (_, _least, most) => [0, Math.max(most * 1.05, 1)] } },
  axes: [
    { ...axis(), size: 30, incrs: stepsOf(isByDay), values: (_, marks) => marks.map(markAt) },
    { ...axis(), size: 56, values: (_, marks) => marks.map(short) },
  ],
  series: [
    { label: "UTC", value: (_, seconds) => (seconds === null ? "" : bothWords.format(seconds * 1000)) },
    {
      label,
      stroke: colourOf("--accent"),
      fill: colourOf("--wash"),
      width: 2,
      points: { show: false },
      value: shownAt,
    },
    {
      label: "the period before",
      stroke: colourOf("--muted"),
      dash: [4, 4],
      width: 1,
      points: { show: false },
      value: shownAt,
    },
  ],
})

const dataOf = ({ at, before, now }: Curve): UPlot.AlignedData => [[...at], [...now], [...before]]

export const Chart = ({ curve, label }: { readonly curve: Curve; readonly label: string }) => {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = place.current
    const [first = 0, second = 0] = curve.at
    const isByDay = second - first >= 86_400
    if (element === null) return
    let plot = new UPlot(optionsFor(element.clientWidth, label, isByDay), dataOf(curve), element)
    const sized = new ResizeObserver(() => {
      if (element.clientWidth !== plot.width) plot.setSize({ width: element.clientWidth, height })
    })
    sized.observe(element)
    // Its colours are drawn, so another scheme needs another drawing.
    const scheme = matchMedia("(prefers-color-scheme: dark)")
    const redraw = () => {
      plot.destroy()
      plot = new UPlot(optionsFor(element.clientWidth, label, isByDay), dataOf(curve), element)
    }
    scheme.addEventListener("change", redraw)
    return () => {
      scheme.removeEventListener("change", redraw)
      sized.disconnect()
      plot.destroy()
    }
  }, [curve, label])
  return (
    <div
      class="chart"
      ref={place}
      role="img"
      aria-label={`${label} over time. The table below has the numbers.`}
    />
  )
}
