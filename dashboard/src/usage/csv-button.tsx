import { useState } from 'react'
import { useSession } from '../session/context.ts'
import { Icon } from '../ui/icon.tsx'
import { csvPathOf, type Question } from './question.ts'
import type { UsageSearch } from './usage-search.ts'

/** Downloads the report that is shown. The key is sent in a header, so a plain link would not do. */
export function CsvButton({
  question,
  search,
  to,
}: {
  question: Question
  search: UsageSearch
  to: string | undefined
}) {
  const { connection } = useSession()
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<string>()

  async function download(end: string): Promise<void> {
    setIsBusy(true)
    setProblem(undefined)
    try {
      const blob = await connection.download(csvPathOf(question, search, end))
      const link = document.createElement('a')
      link.href = URL.createObjectURL(blob)
      link.download = `usage-${new Date(question.from).toISOString().slice(0, 10)}-${end.slice(0, 10)}.csv`
      link.click()
      URL.revokeObjectURL(link.href)
    } catch (error) {
      setProblem((error as Error).message)
    } finally {
      setIsBusy(false)
    }
  }

  return (
    <>
      {problem !== undefined && <span role="alert">{problem}</span>}
      <button
        type="button"
        className="button"
        disabled={isBusy || to === undefined}
        onClick={() => to !== undefined && void download(to)}
      >
        <Icon name="download" /> CSV
      </button>
    </>
  )
}
