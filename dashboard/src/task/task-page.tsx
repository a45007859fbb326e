import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useEffect, type ReactNode } from 'react'
import { ReadTask, WatchTask, type TaskDetail } from '../api/generated.ts'
import { DarkroomError } from '../api/connection.ts'
import { useSession } from '../session/context.ts'
import { NoRight } from '../shell/no-right.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { Icon } from '../ui/icon.tsx'
import styles from '../ui/detail.module.css'
import parts from '../ui/parts.module.css'
import { Problem } from '../ui/problem.tsx'
import { QueryButton } from '../ui/query-button.tsx'
import { Status, statusText } from '../ui/status.tsx'
import { useKeys } from '../ui/use-keys.ts'
import { Actions } from './actions.tsx'
import { Development } from './development.tsx'
import { EventList } from './event-list.tsx'
import { Facts } from './facts.tsx'
import { EditHistory } from '../history/edit-history.tsx'
import { MoneyTimeline } from './money-timeline.tsx'
import { RequestTable } from './request-table.tsx'
import { TABS, type Tab } from './task-search.ts'
import tabStyles from './tabs.module.css'
import { useTaskDetail } from './use-task-detail.ts'

export function TaskPage() {
  const { may } = useSession()
  const { id } = useParams({ from: '/tasks/$id' })
  useEffect(() => {
    // In newer browsers it returns a promise, which an effect must not return.
    scrollTo(0, 0)
  }, [id])
  if (!may('READ')) return <NoRight scope="READ" text="This key may not watch tasks" />
  return <TaskView key={id} id={id} />
}

function TaskView({ id }: { id: string }) {
  const navigate = useNavigate()
  useKeys({ Escape: () => void navigate({ to: '/' }) })
  const { task, error, reload } = useTaskDetail(id)
  if (!task && error) {
    const isMissing = error instanceof DarkroomError && error.code === 'NOT_FOUND'
    return (
      <div className={styles['missing']}>
        <title>Task · Darkroom</title>
        <Back />
        <h1>{isMissing ? 'This project has no such task' : 'The task could not be read'}</h1>
        {isMissing ? <p className="mono muted">{id}</p> : <Problem error={error} onRetry={reload} />}
      </div>
    )
  }
  if (!task) return <Skeleton />
  return <Loaded task={task} error={error} reload={reload} />
}

function Loaded({ task, error, reload }: { task: TaskDetail; error: Error | undefined; reload: () => void }) {
  const percent = task.status === 'RUNNING' ? ` ${Math.round(task.progress * 100)} %` : ''
  return (
    <article className={styles['page']}>
      <title>{`${statusText(task.status)}${percent} · ${task.prompt.slice(0, 60)} · Darkroom`}</title>
      <Back />
      <div className={styles['columns']}>
        <Development task={task} />
        <div className={styles['side']}>
          <span className={styles['state']} role="status">
            <Status status={task.status} />
            {percent !== '' && <span className="muted">{percent}</span>}
            {task.queuePosition !== null && task.status === 'QUEUED' && (
              <span className="muted">position {task.queuePosition}</span>
            )}
          </span>
          <h1 className={styles['prompt']}>{task.prompt}</h1>
          {task.error && (
            <p className={styles['failure']}>
              {task.error.message} <span className="mono muted">{task.error.code}</span>
            </p>
          )}
          {task.warnings.map((warning) => (
            <p key={warning.message} className={styles['warning']}>
              {warning.message}
            </p>
          ))}
          <Actions task={task} reload={reload} />
          <Facts task={task} />
          <div className={styles['id']}>
            <CopyButton text={task.id} what="task id" />
            <QueryButton
              queries={[
                { text: 'Task', document: ReadTask, variables: { id: task.id } },
                { text: 'Events', document: WatchTask, variables: { taskId: task.id } },
              ]}
            />
          </div>
        </div>
      </div>
      {error && <Problem error={error} onRetry={reload} />}
      <EditHistory task={task} />
      <Tabs task={task} />
    </article>
  )
}

const TAB_TEXTS: Readonly<Record<Tab, string>> = { money: 'Money', events: 'Events', request: 'Request' }

function Tabs({ task }: { task: TaskDetail }) {
  const { tab = 'money' } = useSearch({ from: '/tasks/$id' })
  const navigate = useNavigate({ from: '/tasks/$id' })
  const panels: Readonly<Record<Tab, () => ReactNode>> = {
    money: () => <MoneyTimeline task={task} />,
    events: () => <EventList task={task} />,
    request: () => <RequestTable task={task} />,
  }
  function open(next: Tab): void {
    void navigate({
      search: (last) => ({ ...last, tab: next === 'money' ? undefined : next }),
      replace: true,
      resetScroll: false,
    })
  }
  function move(key: string): void {
    const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0
    const next = TABS[(TABS.indexOf(tab) + step + TABS.length) % TABS.length]
    if (step === 0 || !next) return
    open(next)
    document.querySelector<HTMLElement>(`#tab-${next}`)?.focus()
  }
  return (
    <section>
      <div
        role="tablist"
        aria-label="Details"
        className={tabStyles['tabs']}
        onKeyDown={({ key }) => move(key)}
      >
        {TABS.map((one) => (
          <button
            key={one}
            id={`tab-${one}`}
            type="button"
            role="tab"
            aria-selected={one === tab}
            aria-controls="panel"
            tabIndex={one === tab ? 0 : -1}
            onClick={() => open(one)}
          >
            {TAB_TEXTS[one]}
          </button>
        ))}
      </div>
      <div id="panel" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {panels[tab]()}
      </div>
    </section>
  )
}

function Back() {
  return (
    <Link to="/" className={parts['back']}>
      <Icon name="back" /> Live
    </Link>
  )
}

function Skeleton() {
  return (
    <div className={styles['page']} aria-busy="true">
      <title>Task · Darkroom</title>
      <Back />
      <div className={styles['columns']}>
        <div className={styles['skeleton']} />
        <div />
      </div>
    </div>
  )
}
