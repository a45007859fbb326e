import { useCallback, useEffect, useState } from 'react'
import { ListKeyNames, ListProjects, ReadUsage, WatchUsage, type Usage } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import { variablesOf, type Question } from './question.ts'

export interface UsageView {
  /** Of the question before while a new one is read. */
  report: Usage | undefined
  /** The question that `report` answers. */
  answered: Question | undefined
  error: Error | undefined
  isReading: boolean
  reload: () => void
}

/** Reports on all projects are not pushed. */
const ALL_PROJECTS_MS = 10_000

/** The report, live while its range includes now. `question` must stay the same object until it changes. */
export function useUsage(question: Question, isEnabled: boolean): UsageView {
  const { connection } = useSession()
  const [state, setState] = useState<{ report: Usage; answered: Question }>()
  const [error, setError] = useState<{ error: Error; question: Question }>()
  const [reads, setReads] = useState(0)

  useEffect(() => {
    if (!isEnabled) return undefined
    const abort = new AbortController()
    const { signal } = abort
    let timer: ReturnType<typeof setTimeout> | undefined
    const show = (report: Usage) => {
      setState({ report, answered: question })
      setError(undefined)
    }
    const fail = (problem: unknown) => {
      if (!signal.aborted) setError({ error: problem as Error, question })
    }
    const variables = variablesOf(question)

    async function readAll(): Promise<void> {
      const to = new Date(question.to ?? Date.now()).toISOString()
      const allProjects = question.isOfAllProjects
      show(await connection.read(ReadUsage, { ...variables, to, allProjects }, signal))
      if (question.to === null && !signal.aborted)
        timer = setTimeout(() => void readAll().catch(fail), document.hidden ? 60_000 : ALL_PROJECTS_MS)
    }

    async function watch(): Promise<void> {
      for await (const report of connection.latest(WatchUsage, variables, signal)) show(report)
    }

    const isWatched = question.to === null && !question.isOfAllProjects
    void (isWatched ? watch() : readAll()).catch(fail)
    return () => {
      abort.abort()
      clearTimeout(timer)
    }
  }, [connection, question, isEnabled, reads])

  const current = error?.question === question ? error.error : undefined
  return {
    report: state?.report,
    answered: state?.answered,
    error: current,
    isReading: state?.answered !== question && current === undefined,
    reload: useCallback(() => {
      setError(undefined)
      setReads((count) => count + 1)
    }, []),
  }
}

/** Names of keys and projects by id, as far as the caller may read them. */
export function useNames(split: Question['split']): ReadonlyMap<string, string> {
  const { connection, viewer, may } = useSession()
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map())
  const canRead = split === 'API_KEY' ? may('READ') : split === 'PROJECT' && viewer.isOperator
  useEffect(() => {
    if (!canRead) return undefined
    const abort = new AbortController()
    const read = async () => {
      const found =
        split === 'API_KEY'
          ? (await connection.read(ListKeyNames, {}, abort.signal)).keys.nodes
          : (await connection.read(ListProjects, {}, abort.signal)).nodes
      setNames((last) => new Map([...last, ...found.map(({ id, name }) => [id, name] as const)]))
    }
    void read().catch(() => {})
    return () => abort.abort()
  }, [connection, split, canRead])
  return names
}
