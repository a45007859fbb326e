import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { Icon } from '../ui/icon.tsx'
import { Segments } from '../ui/segments.tsx'
import styles from './filters.module.css'
import { timeOf } from '../live/filter.ts'
import { isFiltered, type ImagesSearch } from './images-search.ts'
import { useNames } from './use-names.ts'

const KIND_OPTIONS = [
  { value: 'all', text: 'All' },
  { value: 'result', text: 'Results' },
  { value: 'input', text: 'Inputs' },
] as const
const SIZE_OPTIONS = [
  { value: 's', text: 'S' },
  { value: 'm', text: 'M' },
  { value: 'l', text: 'L' },
] as const

/** The conditions of the page, kept in its address. */
export function Filters({ search }: { search: ImagesSearch }) {
  const navigate = useNavigate({ from: '/images' })
  const { models, providers } = useNames()
  const [text, setText] = useState(search.q ?? '')
  useEffect(() => setText(search.q ?? ''), [search.q])

  function change(part: { [Name in keyof ImagesSearch]?: ImagesSearch[Name] | undefined }): void {
    const next = Object.entries({ ...search, ...part }).filter(([, value]) => value !== undefined)
    void navigate({ search: Object.fromEntries(next), resetScroll: false })
  }

  return (
    <search className={styles['filters']}>
      <form
        className={styles['search']}
        onSubmit={(event) => {
          event.preventDefault()
          change({ q: text.trim() || undefined })
        }}
      >
        <Icon name="search" size={15} />
        <input
          type="search"
          className="field"
          placeholder="Words of the prompt"
          aria-label="Find by words of the prompt"
          value={text}
          onChange={({ target }) => {
            setText(target.value)
            if (target.value === '' && search.q !== undefined) change({ q: undefined })
          }}
        />
      </form>
      <Segments
        label="Kind"
        options={KIND_OPTIONS}
        value={search.kind ?? 'all'}
        onChange={(kind) => change({ kind: kind === 'all' ? undefined : kind })}
      />
      <Choice label="Model" value={search.model} options={models} onChange={(model) => change({ model })} />
      {(providers.length > 1 || search.provider !== undefined) && (
        <Choice
          label="Provider"
          value={search.provider}
          options={providers}
          onChange={(provider) => change({ provider })}
        />
      )}
      <Day
        label="From"
        value={search.from}
        onChange={(from) => change({ from: from === '' ? undefined : from })}
      />
      <Day label="Before" value={search.to} onChange={(to) => change({ to: to === '' ? undefined : to })} />
      {isFiltered(search) && (
        <button
          type="button"
          className="button quiet"
          onClick={() => void navigate({ search: search.size ? { size: search.size } : {} })}
        >
          Clear
        </button>
      )}
      <span className={styles['size']}>
        <Segments
          label="Size of the tiles"
          options={SIZE_OPTIONS}
          value={search.size ?? 'm'}
          onChange={(size) => change({ size: size === 'm' ? undefined : size })}
        />
      </span>
    </search>
  )
}

interface ChoiceProps {
  label: string
  value: string | undefined
  options: readonly string[]
  onChange: (value: string | undefined) => void
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  const all = value === undefined || options.includes(value) ? options : [value, ...options]
  return (
    <select
      className={`field ${styles['choice']}`}
      aria-label={label}
      value={value ?? ''}
      onChange={({ target }) => onChange(target.value || undefined)}
    >
      <option value="">Any {label.toLowerCase()}</option>
      {all.map((one) => (
        <option key={one}>{one}</option>
      ))}
    </select>
  )
}

interface DayProps {
  label: string
  value: string | undefined
  onChange: (value: string) => void
}

function Day({ label, value, onChange }: DayProps) {
  return (
    <label className={styles['day']}>
      {label}
      <input
        type="date"
        className={`field ${styles['choice']}`}
        value={dayOf(value)}
        onChange={({ target }) => onChange(target.value)}
      />
    </label>
  )
}

/** In the zone of the browser, of a time or a span in the address. */
function dayOf(text: string | undefined): string {
  const at = text === undefined ? undefined : timeOf(text, Date.now())
  // The format of Sweden is that of the field.
  return at === undefined ? '' : new Date(at).toLocaleDateString('sv')
}
