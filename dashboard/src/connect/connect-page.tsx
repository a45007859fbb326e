import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { WatchFeed } from '../api/generated.ts'
import { sessions, useSession } from '../session/context.ts'
import { NoRight } from '../shell/no-right.tsx'
import { Icon } from '../ui/icon.tsx'
import { PageHead } from '../ui/page-head.tsx'
import { QueryButton } from '../ui/query-button.tsx'
import { Segments } from '../ui/segments.tsx'
import { Tile } from '../ui/tile.tsx'
import { blocksOf } from './blocks.ts'
import { CodeBlock } from './code-block.tsx'
import styles from './connect-page.module.css'
import type { Language } from './connect-search.ts'

export function ConnectPage() {
  const { may } = useSession()
  if (!may('READ')) return <NoRight scope="READ" text="This key may not watch tasks" />
  return <Connect />
}

const OPTIONS: readonly { value: Language; text: string }[] = [
  { value: 'curl', text: 'curl' },
  { value: 'js', text: 'JavaScript' },
  { value: 'openai', text: 'OpenAI SDK' },
]

/** What to copy into a terminal or a program, and the first task that arrives from there. */
function Connect() {
  const { lang = 'curl' } = useSearch({ from: '/connect' })
  const navigate = useNavigate({ from: '/connect' })
  const { viewer, project, may } = useSession()
  const [key, setKey] = useState<string>()
  const { isOpen, server } = viewer
  const blocks = blocksOf(lang, { url: server.publicUrl, key, isOpen, project })
  const ownKey = sessions.readKey()
  return (
    <div className={styles['page']}>
      <PageHead title="Connect">
        <QueryButton queries={[{ text: 'Arriving tasks', document: WatchFeed }]} />
      </PageHead>
      <Arrival />
      <div className={styles['bar']}>
        <Segments
          label="Language"
          options={OPTIONS}
          value={lang}
          onChange={(next) =>
            void navigate({ search: { lang: next === 'curl' ? undefined : next }, resetScroll: false })
          }
        />
        {!isOpen && ownKey !== undefined && (
          <button
            type="button"
            className="button"
            aria-pressed={key !== undefined}
            onClick={() => setKey(key === undefined ? ownKey : undefined)}
          >
            <Icon name="lock" /> {key === undefined ? 'Insert my key' : 'Hide my key'}
          </button>
        )}
      </div>
      <p className="muted">{noteOf({ isOpen, hasKey: key !== undefined, canGenerate: may('GENERATE') })}</p>
      {blocks.map((block, index) => (
        <CodeBlock key={`${lang} ${index}`} block={block} />
      ))}
    </div>
  )
}

function noteOf({
  isOpen,
  hasKey,
  canGenerate,
}: {
  isOpen: boolean
  hasKey: boolean
  canGenerate: boolean
}): string {
  if (isOpen)
    return 'The server has no API key, so requests need none. Once there is one, this page shows where it goes.'
  if (!canGenerate)
    return 'This key may not create tasks. The programs need one with the scopes GENERATE and READ.'
  if (hasKey) return 'The programs contain the key. Anyone who sees them can use it.'
  return 'The programs read the key from the environment: export DARKROOM_KEY=dk_live_…'
}

/** Waits for a task, then shows it as it develops. */
function Arrival() {
  const { feed } = useSession()
  const [taskId, setTaskId] = useState<string>()
  useEffect(
    () =>
      feed.subscribeEvents(({ type, task }) => {
        if (type === 'TaskQueued') setTaskId(task.id)
      }),
    [feed],
  )
  return (
    <section
      className={styles['arrival']}
      aria-label="Your task"
      data-arrived={taskId !== undefined || undefined}
    >
      {taskId === undefined ? (
        <p role="status">
          <span className={styles['dot']} aria-hidden="true" /> Waiting for your first task
        </p>
      ) : (
        <>
          <div className={styles['tile']}>
            <Tile id={taskId} hasActions={false} />
          </div>
          <p role="status">
            Your task has arrived.{' '}
            <Link to="/tasks/$id" params={{ id: taskId }}>
              Open it
            </Link>
          </p>
        </>
      )}
    </section>
  )
}
