/** A curve, drawn by uPlot on a canvas. */
import "uplot/dist/uPlot.min.css"
import { useEffect, useRef } from "preact/hooks"
import UPlot from "uplot"
import { short } from "../words/Numbers.ts"
import type { Curve } from "./Curve.ts"

const height = 220

const colourOf = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim()

const axis = (): UPlot.Axis => ({
  stroke: colourOf("--muted"),
  grid: { stroke: colourOf("--line"), width: 1 },
  ticks: { show: false },
  font: "11px system-ui, sans-serif",
})

const optionsFor = (width: number, label: string): UPlot.Options => ({
  width,
  height,
  padding: [12, 8, 0, 0],
  legend: { show: true, live: true },
  cursor: { y: false, points: { size: 6 } },
  scales: { y: { range: (_, _least, most) => [0, Math.max(most * 1.05, 1)] } },
  axes: [axis(), { ...axis(), size: 56, values: (_, marks) => marks.map(short) }],
  series: [
    {},
    {
      label,
      stroke: colourOf("--accent"),
      fill: colourOf("--wash"),
      width: 2,
      points: { show: false },
      value: (_, value) => (value === null ? "–" : short(value)),
    },
    {
      label: "the period before",
      stroke: colourOf("--muted"),
      dash: [4, 4],
      width: 1,
      points: { show: false },
      value: (_, value) => (value === null ? "–" : short(value)),
    },
  ],
})

const dataOf = ({ at, before, now }: Curve): UPlot.AlignedData => [[...at], [...now], [...before]]

export const Chart = ({ curve, label }: { readonly curve: Curve; readonly label: string }) => {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = place.current
    if (element === null) return
    let plot = new UPlot(optionsFor(element.clientWidth, label), dataOf(curve), element)
    const sized = new ResizeObserver(() => {
      if (element.clientWidth !== plot.width) plot.setSize({ width: element.clientWidth, height })
    })
    sized.observe(element)
    // Its colours are drawn, so another scheme needs another drawing.
    const scheme = matchMedia("(prefers-color-scheme: dark)")
    const redraw = () => {
      plot.destroy()
      plot = new UPlot(optionsFor(element.clientWidth, label), dataOf(curve), element)
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
