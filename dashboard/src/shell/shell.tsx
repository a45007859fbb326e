import { Link, Outlet, useSearch } from '@tanstack/react-router'
import { useEffect } from 'react'
import { DarkroomError } from '../api/connection.ts'
import { SessionContext, sessions, useSessionState } from '../session/context.ts'
import { SignIn } from '../session/sign-in.tsx'
import type { Session } from '../session/session.ts'
import { Icon } from '../ui/icon.tsx'
import { Problem } from '../ui/problem.tsx'
import { Keyboard } from './keyboard.tsx'
import { LinkState } from './link-state.tsx'
import { Navigation } from './navigation.tsx'
import { ProjectSwitch } from './project-switch.tsx'
import { SpendToday } from './spend-today.tsx'
import styles from './shell.module.css'
import { ThemeButton } from './theme-button.tsx'

/** The frame of every page. Without a viewer it shows the sign-in, and afterwards the page of the address. */
export function Shell() {
  const state = useSessionState()
  const { project } = useSearch({ strict: false })
  useEffect(() => void sessions.chooseProject(project), [project])
  if (state.name === 'starting') return <div className={styles['starting']} aria-busy="true" />
  if (state.name === 'signed-out') return <SignIn reason={state.reason} />
  if (state.name === 'failed')
    return (
      <main className={styles['failed']}>
        <h1>{isLost(state.error) ? 'The server does not respond' : 'The server refused the request'}</h1>
        <Problem error={state.error} onRetry={() => void sessions.start()} />
        {project !== undefined && (
          <p>
            <Link to="." search={(last) => ({ ...last, project: undefined })}>
              Open the default project
            </Link>
          </p>
        )}
      </main>
    )
  return (
    <SessionContext value={state.session}>
      <Frame session={state.session} />
    </SessionContext>
  )
}

function Frame({ session }: { session: Session }) {
  const { viewer, feed, may } = session
  return (
    <div className={styles['shell']}>
      <a className={styles['skip']} href="#content">
        Skip to content
      </a>
      <header className={styles['header']}>
        <Link to="/" className={styles['brand']} aria-label="Darkroom, live">
          <span className={styles['mark']} aria-hidden="true" />
          <span className={styles['name']}>Darkroom</span>
        </Link>
        <span className={styles['space']} />
        {may('READ') && <LinkState feed={feed} />}
        {may('REPORT') && <SpendToday />}
        <ProjectSwitch />
        <ThemeButton />
        {!viewer.isOpen && (
          <button type="button" className={styles['tool']} onClick={sessions.lock} title="Lock (Shift+L)">
            <Icon name="lock" size={16} />
            <span className="hidden">Lock: forget the key in all tabs</span>
          </button>
        )}
        <Keyboard />
      </header>
      <Navigation />
      <div className={styles['body']}>
        {viewer.isOpen && (
          <p className={styles['notice']}>
            No API key exists. Everyone who can connect to this computer has full rights.{' '}
            <Link to="/access">How to require keys</Link>
          </p>
        )}
        <main id="content" tabIndex={-1} className={styles['main']}>
          <Outlet />
        </main>
      </div>
    </div>
  )
}

function isLost(error: Error): boolean {
  return !(error instanceof DarkroomError) || error.code === 'CONNECTION_LOST'
}
