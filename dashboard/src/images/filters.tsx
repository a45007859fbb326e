import { useNavigate } from '@tanstack/react-router'
import { Choice } from '../filters/choice.tsx'
import fields from '../filters/fields.module.css'
import { PromptSearch } from '../filters/prompt-search.tsx'
import { TileSizes } from '../filters/tile-sizes.tsx'
import { useNames } from '../filters/use-names.ts'
import { Segments } from '../ui/segments.tsx'
import styles from './filters.module.css'
import { timeOf } from '../live/filter.ts'
import { isFiltered, type ImagesSearch } from './images-search.ts'

const KIND_OPTIONS = [
  { value: 'all', text: 'All' },
  { value: 'result', text: 'Results' },
  { value: 'input', text: 'Inputs' },
] as const

/** The conditions of the page, kept in its address. */
export function Filters({ search }: { search: ImagesSearch }) {
  const navigate = useNavigate({ from: '/images' })
  const { models, providers } = useNames()

  function change(part: { [Name in keyof ImagesSearch]?: ImagesSearch[Name] | undefined }): void {
    const next = Object.entries({ ...search, ...part }).filter(([, value]) => value !== undefined)
    void navigate({ search: Object.fromEntries(next), resetScroll: false })
  }

  return (
    <search className={styles['filters']}>
      <PromptSearch value={search.q} onChange={(q) => change({ q })} />
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
        <TileSizes value={search.size} onChange={(size) => change({ size })} />
      </span>
    </search>
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
        className={`field ${fields['choice']}`}
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
