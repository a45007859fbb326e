import { useNavigate } from '@tanstack/react-router'
import { ListTasks, WatchFeed } from '../api/generated.ts'
import { Choice } from '../filters/choice.tsx'
import { PromptSearch } from '../filters/prompt-search.tsx'
import { TileSizes } from '../filters/tile-sizes.tsx'
import { useNames } from '../filters/use-names.ts'
import { PAGE_SIZE } from '../live/feed.ts'
import { filterOf, isFiltered, serverFilterOf, STATUSES, type LiveSearch } from '../live/filter.ts'
import { QueryButton } from '../ui/query-button.tsx'
import { Segments } from '../ui/segments.tsx'
import { statusText } from '../ui/status.tsx'
import { useKeyNames } from '../ui/use-key-names.ts'
import styles from './filters.module.css'
import { WhenChoice } from './when-choice.tsx'

/** The conditions of the page, kept in its address. */
export function Filters({ search }: { search: LiveSearch }) {
  const navigate = useNavigate({ from: '/' })
  const { providers, models } = useNames()
  const keys = useKeyNames()

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
      <PromptSearch value={search.q} onChange={(q) => change({ q })} />
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
        {search.view !== 'table' && <TileSizes value={search.size} onChange={(size) => change({ size })} />}
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
