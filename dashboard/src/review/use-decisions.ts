import { useState } from 'react'
import {
  AdjustCosts,
  Resolve,
  ResolveMany,
  type ResolveAttemptInput,
  type ReviewAttempt,
} from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import type { Bulk } from './effect.ts'

export interface Decisions {
  selected: ReadonlySet<string>
  select: (ids: Iterable<string>) => void
  /** Typed amounts in USD by attempt. */
  amounts: ReadonlyMap<string, string>
  setAmount: (id: string, text: string) => void
  /** Why a decision about an attempt was refused. */
  problems: ReadonlyMap<string, string>
  /** Attempts of `problems`, which may have left the list. */
  kept: readonly ReviewAttempt[]
  dismiss: () => void
  /** All reject if nothing was decided. */
  resolveOne: (input: ResolveAttemptInput) => Promise<void>
  resolveAll: (attempts: readonly ReviewAttempt[], resolution: Bulk, note: string) => Promise<void>
  saveCosts: (
    attempts: readonly ReviewAttempt[],
    costs: ReadonlyMap<string, number>,
    note: string,
  ) => Promise<void>
}

/** Decisions of the page. Attempts whose decision was refused stay selected, with the reason. */
export function useDecisions(reload: () => void): Decisions {
  const { connection } = useSession()
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const [amounts, setAmounts] = useState<ReadonlyMap<string, string>>(new Map())
  const [problems, setProblems] = useState<ReadonlyMap<string, string>>(new Map())
  const [kept, setKept] = useState<readonly ReviewAttempt[]>([])

  function finish(
    attempts: readonly ReviewAttempt[],
    refused: readonly { attemptId: string; message: string }[],
  ): void {
    const reasons = new Map(refused.map(({ attemptId, message }) => [attemptId, message]))
    setProblems(reasons)
    setKept(attempts.filter(({ id }) => reasons.has(id)))
    setSelected(new Set(reasons.keys()))
    setAmounts((last) => {
      const decided = new Set(attempts.map(({ id }) => id).filter((id) => !reasons.has(id)))
      return new Map([...last].filter(([id]) => !decided.has(id)))
    })
    reload()
  }

  return {
    selected,
    select: (ids) => setSelected(new Set(ids)),
    amounts,
    setAmount(id, text) {
      setAmounts((last) => {
        const next = new Map(last)
        if (text === '') next.delete(id)
        else next.set(id, text)
        return next
      })
    },
    problems,
    kept,
    dismiss() {
      setProblems(new Map())
      setKept([])
      setSelected(new Set())
      setAmounts(new Map())
    },
    async resolveOne(input) {
      await connection.change(Resolve, { input })
      reload()
    },
    async resolveAll(attempts, resolution, note) {
      const ids = attempts.map(({ id }) => id)
      const { problems: refused } = await connection.change(ResolveMany, { input: { ids, resolution, note } })
      finish(attempts, refused)
    },
    async saveCosts(attempts, costs, note) {
      const lines = [...costs].map(([attemptId, costMicros]) => ({ attemptId, costMicros }))
      const { problems: refused } = await connection.change(AdjustCosts, { input: { lines, note } }, true)
      finish(attempts, refused)
    },
  }
}
