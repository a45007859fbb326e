import { useNavigate } from '@tanstack/react-router'
import { useMemo, useRef, type FormEvent } from 'react'
import { startOf, shift } from '../format/zone.ts'
import { useSession } from '../session/context.ts'
import { Icon } from '../ui/icon.tsx'
import { Segments } from '../ui/segments.tsx'
import styles from './controls.module.css'
import { MEASURE_TEXTS, RANGE_TEXTS, SPLIT_TEXTS } from './names.ts'
import { isReadable, UNITS, type Question } from './question.ts'
import {
  DEFAULT_RANGE,
  FAST_SPLITS,
  FILTERS,
  MEASURES,
  RANGES,
  SLOW_SPLITS,
  type Split,
  type UsageSearch,
} from './usage-search.ts'

interface ControlsProps {
  search: UsageSearch
  question: Question
  browserZone: string
}

/** The question, kept in the address. */
export function Controls({ search, question, browserZone }: ControlsProps) {
  const { viewer } = useSession()
  const navigate = useNavigate({ from: '/usage' })
  const labelDialog = useRef<HTMLDialogElement>(null)
  const rangeDialog = useRef<HTMLDialogElement>(null)
  const zones = useMemo(() => zonesWith(browserZone, search.tz), [browserZone, search.tz])
  const isFixed = search.from !== undefined
  const end = question.to ?? Date.now()

  function change(part: UsageSearch): void {
    void navigate({ search: (last) => ({ ...last, ...part }), resetScroll: false })
  }

  function split(next: Split): void {
    if (next === 'METADATA') labelDialog.current?.showModal()
    else
      change({ split: next === 'MODEL' ? undefined : (next.toLowerCase() as 'user'), metadataKey: undefined })
  }

  function submitLabel(event: FormEvent<HTMLFormElement>): void {
    const key = new FormData(event.currentTarget).get('label')
    if (typeof key === 'string' && key.trim() !== '') change({ split: 'metadata', metadataKey: key.trim() })
    labelDialog.current?.close()
  }

  function submitRange(event: FormEvent<HTMLFormElement>): void {
    const form = new FormData(event.currentTarget)
    const day = (name: string) => Date.parse(`${form.get(name) as string}T12:00:00Z`)
    const { timeZone } = question
    const from = startOf('DAY', day('from'), timeZone)
    const to = shift('DAY', startOf('DAY', day('to'), timeZone), 1, timeZone)
    rangeDialog.current?.close()
    if (from < to)
      change({
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        range: undefined,
        by: undefined,
      })
  }

  return (
    <div className={styles['controls']}>
      <div className={styles['group']}>
        <Segments
          label="Range"
          options={RANGES.map((range) => ({ value: range, text: RANGE_TEXTS[range] }))}
          value={isFixed ? undefined : (search.range ?? DEFAULT_RANGE)}
          onChange={(range) =>
            change({
              range: range === DEFAULT_RANGE ? undefined : range,
              from: undefined,
              to: undefined,
              by: undefined,
            })
          }
        />
        <button
          type="button"
          className="chip"
          aria-pressed={isFixed}
          onClick={() => rangeDialog.current?.showModal()}
        >
          {isFixed ? spanText(question.from, end, question.timeZone) : 'Choose days'}
        </button>
      </div>
      <Segments
        label="Measure"
        options={MEASURES.map((measure) => ({ value: measure, text: MEASURE_TEXTS[measure] }))}
        value={search.measure ?? 'cost'}
        onChange={(measure) => change({ measure: measure === 'cost' ? undefined : measure })}
      />
      <div className={styles['group']}>
        <label className={styles['select']}>
          by
          <select
            className="field"
            aria-label="Length of a bar"
            value={question.unit}
            onChange={({ target }) => change({ by: target.value.toLowerCase() as 'day' })}
          >
            {UNITS.map((unit) => (
              <option
                key={unit}
                value={unit}
                disabled={!isReadable(unit, question.from, end, question.timeZone)}
              >
                {unit.toLowerCase()}
              </option>
            ))}
          </select>
        </label>
        <label className={styles['select']}>
          and
          <select
            className="field"
            aria-label="Split by"
            value={question.split}
            onChange={({ target }) => split(target.value as Split)}
          >
            {FAST_SPLITS.filter((one) => one !== 'PROJECT' || question.isOfAllProjects).map((one) => (
              <option key={one} value={one}>
                {SPLIT_TEXTS[one].toLowerCase()}
              </option>
            ))}
            <optgroup label="Slower: reads every attempt">
              {SLOW_SPLITS.map((one) => (
                <option key={one} value={one}>
                  {one === 'METADATA' && question.metadataKey !== undefined
                    ? `label ${question.metadataKey}`
                    : SPLIT_TEXTS[one].toLowerCase()}
                </option>
              ))}
            </optgroup>
          </select>
        </label>
        <label className={styles['select']} title="Budgets use UTC days.">
          in
          <select
            className="field"
            aria-label="Time zone"
            value={question.timeZone}
            onChange={({ target }) => change({ tz: target.value === browserZone ? undefined : target.value })}
          >
            {zones.map((zone) => (
              <option key={zone}>{zone}</option>
            ))}
          </select>
        </label>
        {viewer.isOperator && (
          <button
            type="button"
            className="chip"
            aria-pressed={question.isOfAllProjects}
            onClick={() =>
              change({
                all: question.isOfAllProjects ? undefined : 1,
                ...(search.split === 'project' && { split: undefined }),
              })
            }
          >
            All projects
          </button>
        )}
      </div>
      {FILTERS.flatMap((name) =>
        (search[name] ?? []).map((value) => (
          <button
            key={`${name} ${value}`}
            type="button"
            className="chip"
            aria-label={`Remove the filter ${name} ${value}`}
            onClick={() => {
              const rest = search[name]?.filter((one) => one !== value) ?? []
              change({ [name]: rest.length > 0 ? rest : undefined })
            }}
          >
            {value}
            <Icon name="cross" size={11} />
          </button>
        )),
      )}
      <dialog ref={rangeDialog} aria-labelledby="range-title">
        <form method="dialog" onSubmit={submitRange}>
          <h2 id="range-title">Choose days</h2>
          <p className={styles['hint']}>Whole days in {question.timeZone}.</p>
          <div className={styles['days']}>
            <label>
              First day
              <input
                key={question.from}
                className="field"
                type="date"
                name="from"
                required
                defaultValue={dateText(question.from, question.timeZone)}
              />
            </label>
            <label>
              Last day
              <input
                key={end}
                className="field"
                type="date"
                name="to"
                required
                defaultValue={dateText(end - 1, question.timeZone)}
              />
            </label>
          </div>
          <div className={styles['row']}>
            <button type="submit" className="button primary">
              Show
            </button>
            <button type="button" className="button" onClick={() => rangeDialog.current?.close()}>
              Cancel
            </button>
            <button type="button" className="button quiet" onClick={() => void copyFixedLink(question)}>
              Copy fixed link
            </button>
          </div>
        </form>
      </dialog>
      <dialog ref={labelDialog} aria-labelledby="label-title">
        <form method="dialog" onSubmit={submitLabel}>
          <h2 id="label-title">Split by a label</h2>
          <p className={styles['hint']}>A key of the metadata of your tasks, such as team.</p>
          <input
            className="field"
            name="label"
            aria-label="Key of the label"
            required
            maxLength={64}
            pattern="[A-Za-z0-9._\-]+"
            defaultValue={question.metadataKey ?? ''}
          />
          <div className={styles['row']}>
            <button type="submit" className="button primary">
              Split
            </button>
            <button type="button" className="button" onClick={() => labelDialog.current?.close()}>
              Cancel
            </button>
          </div>
        </form>
      </dialog>
    </div>
  )
}

function zonesWith(browserZone: string, chosen: string | undefined): string[] {
  const first = [browserZone, 'UTC', ...(chosen === undefined ? [] : [chosen])]
  return [...new Set([...first, ...Intl.supportedValuesOf('timeZone')])]
}

/** `2026-11-20`, as a date field takes it. */
function dateText(at: number, timeZone: string): string {
  return new Date(at).toLocaleDateString('sv', { timeZone })
}

function spanText(from: number, to: number, timeZone: string): string {
  const isHours = to - from < 2 * 86_400_000
  const options: Intl.DateTimeFormatOptions = isHours
    ? { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone }
    : { day: 'numeric', month: 'short', ...(isOfThisYear(from) ? {} : { year: 'numeric' }), timeZone }
  const text = (at: number) => new Date(at).toLocaleString('en-GB', options)
  return `${text(from)} – ${text(isHours ? to : to - 1)}`
}

function isOfThisYear(at: number): boolean {
  return new Date(at).getFullYear() === new Date().getFullYear()
}

/** With times instead of a range that moves on. */
async function copyFixedLink({ from, to }: Question): Promise<void> {
  const url = new URL(location.href)
  for (const name of ['range', 'by']) url.searchParams.delete(name)
  url.searchParams.set('from', new Date(from).toISOString())
  url.searchParams.set('to', new Date(to ?? Date.now()).toISOString())
  await navigator.clipboard.writeText(url.href)
}
