import { useEffect, useRef, type KeyboardEvent, type RefObject } from 'react'

const FOCUSABLE = 'a[href], button:not(:disabled), input:not(:disabled)'
const ROW = '[data-roving]'

interface Roving<T extends HTMLElement> {
  ref: RefObject<T | null>
  onKeyDown: (event: KeyboardEvent<T>) => void
}

/**
 * One tab stop for a table or a grid: only the controls of the current row are in the tab order. Arrows, Home, End, PageUp and
 * PageDown move between the elements with `data-roving`, to the same control in each. `columns`: elements per line.
 */
export function useRovingFocus<T extends HTMLElement>(
  columns: number | 'auto' = 1,
  given?: RefObject<T | null>,
): Roving<T> {
  const own = useRef<T>(null)
  const ref = given ?? own
  const current = useRef<Element>(undefined)

  function mark(): void {
    const rows = rowsOf(ref.current)
    if (!current.current || !rows.includes(current.current)) current.current = rows[0]
    for (const row of rows)
      for (const control of row.querySelectorAll<HTMLElement>(FOCUSABLE)) {
        const tabIndex = row === current.current ? 0 : -1
        if (control.tabIndex !== tabIndex) control.tabIndex = tabIndex
      }
  }

  // Rows come and go with each render.
  useEffect(mark)
  useEffect(() => {
    const container = ref.current
    function onFocus({ target }: FocusEvent): void {
      const row = (target as Element).closest(ROW)
      if (!row || row === current.current) return
      current.current = row
      mark()
    }
    container?.addEventListener('focusin', onFocus)
    return () => container?.removeEventListener('focusin', onFocus)
  })

  return {
    ref,
    onKeyDown(event) {
      const target = event.target as HTMLElement
      const row = target.closest(ROW)
      if (!row || event.ctrlKey || event.metaKey || event.altKey || isText(target)) return
      const rows = rowsOf(ref.current)
      const next = moved(event.key, rows.indexOf(row), {
        columns: columns === 'auto' ? columnsOf(rows) : columns,
        count: rows.length,
      })
      if (next === undefined) return
      const index = [...row.querySelectorAll(FOCUSABLE)].indexOf(target)
      const controls = rows[next]?.querySelectorAll<HTMLElement>(FOCUSABLE)
      event.preventDefault()
      ;(controls?.[index] ?? controls?.[0])?.focus()
    },
  }
}

const PAGE_LINES = 5

/** The index to which a key moves. Undefined for other keys. */
export function moved(
  key: string,
  from: number,
  { columns, count }: { columns: number; count: number },
): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ...(columns > 1 && { ArrowLeft: -1, ArrowRight: 1 }),
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -columns * PAGE_LINES,
    PageDown: columns * PAGE_LINES,
    Home: Number.NEGATIVE_INFINITY,
    End: Number.POSITIVE_INFINITY,
  }
  const step = steps[key]
  if (step === undefined) return undefined
  // At the top it stays in its column.
  if (from + step < 0) return Number.isFinite(step) ? from % columns : 0
  return Math.min(count - 1, from + step)
}

/** Of a grid: elements beside the first one. */
function columnsOf(rows: readonly Element[]): number {
  const top = rows[0]?.getBoundingClientRect().top
  return rows.filter((row) => row.getBoundingClientRect().top === top).length
}

function rowsOf(container: HTMLElement | null): Element[] {
  return [...(container?.querySelectorAll(ROW) ?? [])]
}

function isText(target: HTMLElement): boolean {
  return target.matches('input:not([type=checkbox]), textarea, select')
}
