import { useLayoutEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react'
import { barAt, labelEvery, ticksFor } from './scale.ts'
import type { Stack, Stacked } from './series.ts'
import styles from './bar-chart.module.css'

interface BarChartProps {
  data: Stacked
  /** What the chart shows, as one sentence. */
  summary: string
  tickText: (value: number) => string
  /** Below the axis. */
  labelOf: (stack: Stack) => string
  /** For the tooltip and screen readers. */
  describe: (stack: Stack) => { title: string; lines: { text: string; value: string; series?: number }[] }
  /** A choice of bars, both inclusive. */
  onZoom: (first: number, last: number) => void
}

const HEIGHT = 248
const BOTTOM = 26
const TOP = 8
const RIGHT = 4
const LABEL_WIDTH = 58

/** Stacked bars. One tab stop: arrows move between bars, with Shift they choose a range, and Enter zooms into it. */
export function BarChart({ data, summary, tickText, labelOf, describe, onZoom }: BarChartProps) {
  const { stacks, max } = data
  const frame = useRef<HTMLDivElement>(null)
  const width = useWidth(frame)
  const [current, setCurrent] = useState<number>()
  const [anchor, setAnchor] = useState<number>()
  const [isFocused, setIsFocused] = useState(false)
  const { ticks, top } = ticksFor(max)
  const left = 14 + Math.max(...ticks.map((tick) => tickText(tick).length)) * 7.2
  const plot = Math.max(0, width - left - RIGHT)
  const band = plot / Math.max(1, stacks.length)
  const y = (value: number) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM)
  const at = Math.min(current ?? stacks.length - 1, stacks.length - 1)
  const stack = stacks[at]
  const isShown = current !== undefined && stack !== undefined
  const range = anchor === undefined ? undefined : ([Math.min(anchor, at), Math.max(anchor, at)] as const)
  const every = labelEvery(stacks.length, plot, LABEL_WIDTH)

  function move(event: KeyboardEvent): void {
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault()
      zoom(range ?? [at, at])
      return
    }
    if (event.key === 'Escape') return setAnchor(undefined)
    const next = {
      ArrowLeft: at - 1,
      ArrowDown: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at + 1,
      PageUp: at + 7,
      PageDown: at - 7,
      Home: 0,
      End: stacks.length - 1,
    }[event.key]
    if (next === undefined) return
    event.preventDefault()
    setAnchor(event.shiftKey ? (anchor ?? at) : undefined)
    setCurrent(Math.min(stacks.length - 1, Math.max(0, next)))
  }

  function zoom([first, last]: readonly [number, number]): void {
    setAnchor(undefined)
    setCurrent(undefined)
    onZoom(first, last)
  }

  function onPointer(event: PointerEvent<HTMLDivElement>): void {
    const box = event.currentTarget.getBoundingClientRect()
    const bar = barAt(event.clientX - box.left - left, plot, stacks.length)
    setCurrent(bar)
    if (event.type === 'pointerdown' && event.button === 0) {
      setAnchor(bar)
      event.currentTarget.setPointerCapture(event.pointerId)
    } else if (event.type === 'pointerup' && anchor !== undefined) {
      // A tap shows the figures of a bar; a drag zooms.
      if (anchor === bar) setAnchor(undefined)
      else zoom([Math.min(anchor, bar), Math.max(anchor, bar)])
    }
  }

  const shown = stack && describe(stack)
  return (
    <div
      ref={frame}
      className={styles['frame']}
      role="slider"
      tabIndex={0}
      aria-label={summary}
      aria-valuemin={1}
      aria-valuemax={Math.max(1, stacks.length)}
      aria-valuenow={at + 1}
      aria-valuetext={
        shown && [shown.title, ...shown.lines.map(({ text, value }) => `${text} ${value}`)].join(', ')
      }
      aria-describedby="chart-help"
      onKeyDown={move}
      onFocus={({ currentTarget }) => {
        if (!currentTarget.matches(':focus-visible')) return
        setIsFocused(true)
        setCurrent(at)
      }}
      onBlur={() => {
        setIsFocused(false)
        setCurrent(undefined)
        setAnchor(undefined)
      }}
      onPointerDown={onPointer}
      onPointerMove={onPointer}
      onPointerUp={onPointer}
      onPointerLeave={() => !isFocused && anchor === undefined && setCurrent(undefined)}
    >
      {width > 0 && (
        <svg width={width} height={HEIGHT} aria-hidden="true" className={styles['chart']}>
          <Patterns />
          {ticks.map((tick) => (
            <g key={tick}>
              <line x1={left} x2={width - RIGHT} y1={y(tick)} y2={y(tick)} className={styles['line']} />
              <text x={left - 10} y={y(tick) + 4} textAnchor="end">
                {tickText(tick)}
              </text>
            </g>
          ))}
          {isShown && (
            <rect
              className={styles['range']}
              x={left + (range?.[0] ?? at) * band}
              width={band * ((range?.[1] ?? at) - (range?.[0] ?? at) + 1)}
              y={TOP}
              height={HEIGHT - TOP - BOTTOM}
            />
          )}
          {stacks.map((one, index) => (
            <Bar key={one.start} stack={one} x={left + index * band} band={band} y={y} data={data} />
          ))}
          {stacks.map((one, index) => {
            const isLabelled = (stacks.length - 1 - index) % every === 0
            return (
              isLabelled && (
                <text key={one.start} x={left + (index + 0.5) * band} y={HEIGHT - 6} textAnchor="middle">
                  {labelOf(one)}
                </text>
              )
            )
          })}
        </svg>
      )}
      {isShown && shown && (
        <div
          className={styles['tip']}
          data-side={at > stacks.length / 2 ? 'left' : 'right'}
          style={{ left: left + (at + (at > stacks.length / 2 ? 0 : 1)) * band }}
          aria-hidden="true"
        >
          <strong>{shown.title}</strong>
          {shown.lines.map(({ text, value, series }) => (
            <span key={text} className={styles['tipLine']}>
              {series === undefined ? (
                <span />
              ) : (
                <Swatch index={series} isOther={data.series[series]?.isOther} />
              )}
              <span className={styles['tipText']}>{text}</span>
              <span>{value}</span>
            </span>
          ))}
        </div>
      )}
    </div>
  )
}

interface BarProps {
  stack: Stack
  x: number
  band: number
  y: (value: number) => number
  data: Stacked
}

function Bar({ stack, x, band, y, data }: BarProps) {
  const gap = band > 14 ? Math.min(14, band * 0.28) : band > 4 ? 1.5 : 0.5
  const box = { x: x + gap / 2, width: Math.max(1, Math.min(band - gap, 56)) }
  // Centred in a wide band.
  const inset = (band - gap - box.width) / 2
  return (
    <g transform={`translate(${inset} 0)`}>
      {stack.segments.map(({ series, value, base }) => {
        const top = y(base + value)
        const height = Math.max(0.5, y(base) - top - (base > 0 ? 1 : 0))
        const color = colorOf(series, data.series[series]?.isOther)
        return (
          <g key={series}>
            <rect {...box} y={top} height={height} className={styles['bar']} data-series={color} rx={1.5} />
            {series % 2 === 1 && (
              <rect {...box} y={top} height={height} rx={1.5} fill={`url(#pattern-${(series >> 1) % 2})`} />
            )}
          </g>
        )
      })}
      {stack.held > 0 && (
        <rect
          x={box.x + 0.75}
          width={Math.max(1, box.width - 1.5)}
          y={y(stack.total + stack.held) + 0.75}
          height={Math.max(1, y(stack.total) - y(stack.total + stack.held) - 2.5)}
          className={styles['held']}
          rx={1.5}
        />
      )}
    </g>
  )
}

/** Lines over every second colour, so that colour alone tells nothing. */
function Patterns() {
  return (
    <defs>
      <pattern
        id="pattern-0"
        width="6"
        height="6"
        patternUnits="userSpaceOnUse"
        patternTransform="rotate(45)"
      >
        <rect width="1.6" height="6" className={styles['hatch']} />
      </pattern>
      <pattern id="pattern-1" width="6" height="6" patternUnits="userSpaceOnUse">
        <circle cx="3" cy="3" r="1.2" className={styles['hatch']} />
      </pattern>
    </defs>
  )
}

/** A square in the colour and pattern of a series. */
export function Swatch({ index, isOther = false }: { index: number; isOther?: boolean | undefined }) {
  return (
    <svg width="12" height="12" aria-hidden="true" className={styles['swatch']}>
      <rect width="12" height="12" rx="3" className={styles['bar']} data-series={colorOf(index, isOther)} />
      {index % 2 === 1 && <rect width="12" height="12" rx="3" fill={`url(#pattern-${(index >> 1) % 2})`} />}
    </svg>
  )
}

function colorOf(index: number, isOther = false): string {
  return isOther ? 'other' : String(index)
}

function useWidth(element: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    const node = element.current
    if (!node) return undefined
    const observer = new ResizeObserver(() => setWidth(node.clientWidth))
    observer.observe(node)
    return () => observer.disconnect()
  }, [element])
  return width
}
