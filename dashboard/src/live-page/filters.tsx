import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { ListProviders, ListTasks, WatchFeed } from '../api/generated.ts'
import { PAGE_SIZE } from '../live/feed.ts'
import { filterOf, isFiltered, serverFilterOf, STATUSES, type LiveSearch } from '../live/filter.ts'
import { useSession } from '../session/context.ts'
import { Icon } from '../ui/icon.tsx'
import { QueryButton } from '../ui/query-button.tsx'
import { Segments } from '../ui/segments.tsx'
import { statusText } from '../ui/status.tsx'
import { useKeyNames } from '../ui/use-key-names.ts'
import styles from './filters.module.css'
import { WhenChoice } from './when-choice.tsx'

/** The conditions of the page, kept in its address. */
export function Filters({ search }: { search: LiveSearch }) {
  const navigate = useNavigate({ from: '/' })
  const { providers, models } = useOffers()
  const keys = useKeyNames()
  const [text, setText] = useState(search.q ?? '')
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => setText(search.q ?? ''), [search.q])

  function change(part: LiveSearch): void {
    const next = Object.entries({ ...search, ...part }).filter(([, value]) => value !== undefined)
    void navigate({ search: Object.fromEntries(next) })
  }

  function toggle(status: (typeof STATUSES)[number]): void {
    const chosen = STATUSES.filter((one) => (search.status ?? []).includes(one) !== (one === status))
    change({ status: chosen.length > 0 ? chosen : undefined })
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
          ref={field}
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
      <div className={styles['statuses']} role="group" aria-label="Status">
        {STATUSES.map((status) => (
          <button
            key={status}
            type="button"
            className={styles['chip']}
            aria-pressed={search.status?.includes(status) ?? false}
            onClick={() => toggle(status)}
          >
            {statusText(status)}
          </button>
        ))}
      </div>
      <span className={styles['break']} />
      <Choice label="Model" value={search.model} options={models} onChange={(model) => change({ model })} />
      {providers.length > 1 && (
        <Choice
          label="Provider"
          value={search.provider}
          options={providers}
          onChange={(provider) => change({ provider })}
        />
      )}
      {(keys.size > 0 || search.key !== undefined) && (
        <Choice
          label="Key"
          value={search.key}
          options={[...keys.keys()]}
          textOf={(id) => keys.get(id) ?? id}
          onChange={(key) => change({ key })}
        />
      )}
      <WhenChoice from={search.from} to={search.to} onChange={change} />
      {isFiltered(search) && (
        <button
          type="button"
          className="button quiet"
          onClick={() => void navigate({ search: { view: search.view, size: search.size } })}
        >
          Clear
        </button>
      )}
      <span className={styles['query']}>
        <Segments
          label="View"
          options={[
            { value: 'grid', text: 'Grid' },
            { value: 'table', text: 'Table' },
          ]}
          value={search.view ?? 'grid'}
          onChange={(view) => change({ view: view === 'table' ? view : undefined })}
        />
        {search.view !== 'table' && (
          <Segments
            label="Size of the pictures"
            options={[
              { value: 's', text: 'S' },
              { value: 'm', text: 'M' },
              { value: 'l', text: 'L' },
            ]}
            value={search.size ?? 'm'}
            onChange={(size) => change({ size: size === 'm' ? undefined : size })}
          />
        )}
        <QueryButton
          queries={[
            {
              text: 'List',
              document: ListTasks,
              variables: { first: PAGE_SIZE, filter: serverFilterOf(filterOf(search)) },
            },
            { text: 'Feed', document: WatchFeed },
          ]}
        />
      </span>
    </search>
  )
}

interface ChoiceProps {
  label: string
  value: string | undefined
  options: readonly string[]
  textOf?: (option: string) => string
  onChange: (value: string | undefined) => void
}

function Choice({ label, value, options, textOf = String, onChange }: ChoiceProps) {
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
        <option key={one} value={one}>
          {textOf(one)}
        </option>
      ))}
    </select>
  )
}

function useOffers(): { providers: string[]; models: string[] } {
  const { connection } = useSession()
  const [offers, setOffers] = useState<{ providers: string[]; models: string[] }>({
    providers: [],
    models: [],
  })
  useEffect(() => {
    const abort = new AbortController()
    const read = async () => {
      const found = await connection.read(ListProviders, {}, abort.signal)
      setOffers({
        providers: found.map(({ name }) => name),
        models: [...new Set(found.flatMap((one) => one.models.map(({ name }) => name)))].toSorted(),
      })
    }
    void read().catch(() => {})
    return () => abort.abort()
  }, [connection])
  return offers
}
