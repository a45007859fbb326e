import { useSyncExternalStore } from 'react'
import { useSession } from '../session/context.ts'
import type { Session } from '../session/session.ts'
import { createJobs, type Jobs } from './jobs.ts'

/** They outlive the page: after Back, the pictures are still below the form. */
const known = new WeakMap<Session, Jobs>()

export function useJobs(): Jobs {
  const session = useSession()
  const jobs = known.get(session) ?? createJobs(session)
  known.set(session, jobs)
  useSyncExternalStore(jobs.subscribe, jobs.list)
  return jobs
}
