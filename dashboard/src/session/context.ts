import { createContext, useContext, useSyncExternalStore } from 'react'
import { createSessions, type Session, type SessionState, type Sessions } from './session.ts'

export const sessions: Sessions = createSessions()

export const SessionContext = createContext<Session | null>(null)

/** The session of a page, which is shown only with one. */
export function useSession(): Session {
  const session = useContext(SessionContext)
  if (!session) throw new Error('There is no session.')
  return session
}

export function useSessionState(): SessionState {
  return useSyncExternalStore(sessions.subscribe, sessions.state)
}
