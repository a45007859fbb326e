import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { ReadComparedImages, type ComparedImage } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import { NoRight } from '../shell/no-right.tsx'
import { Icon } from '../ui/icon.tsx'
import { Problem } from '../ui/problem.tsx'
import { QueryButton } from '../ui/query-button.tsx'
import { Candidates } from './candidates.tsx'
import styles from './compare-page.module.css'
import { MODES, type Mode } from './compare-search.ts'
import { Caption } from './caption.tsx'
import { Stage } from './stage.tsx'

export function ComparePage() {
  const { may } = useSession()
  if (!may('READ')) return <NoRight scope="READ" text="This key may not see pictures" />
  return <Compare />
}

const MODE_TEXTS: Readonly<Record<Mode, string>> = {
  slider: 'Slider',
  side: 'Side by side',
  blink: 'In turn',
}

/** Two images over each other or beside each other, by the address of the page. */
function Compare() {
  const { a, b, mode = 'slider' } = useSearch({ from: '/compare' })
  const navigate = useNavigate({ from: '/compare' })
  const { images, error, reload } = useImages(a, b)
  const go = (part: { a?: string | undefined; b?: string | undefined; mode?: Mode | undefined }) =>
    void navigate({ search: (last) => ({ ...last, ...part }), replace: true, resetScroll: false })
  const [left, right] = images ?? []

  return (
    <div className={styles['compare']}>
      <title>Compare · Darkroom</title>
      <div className={styles['head']}>
        <h1>Compare</h1>
        <QueryButton
          queries={[
            { text: 'Images', document: ReadComparedImages, variables: { ids: [a, b].filter(Boolean) } },
          ]}
        />
        {left && right && (
          <>
            <div className={styles['modes']} role="group" aria-label="View">
              {MODES.map((one) => (
                <button
                  key={one}
                  type="button"
                  aria-pressed={one === mode}
                  onClick={() => go({ mode: one === 'slider' ? undefined : one })}
                >
                  {MODE_TEXTS[one]}
                </button>
              ))}
            </div>
            <button type="button" className="button" onClick={() => go({ a: b, b: a })}>
              <Icon name="again" /> Swap
            </button>
          </>
        )}
      </div>
      {error && <Problem error={error} onRetry={reload} />}
      {a === undefined && b === undefined && (
        <div className={styles['nothing']}>
          <p>Choose “Compare” at a picture of a task, of the Studio or of an edit history.</p>
          <Link to="/" className="button">
            Live
          </Link>
        </div>
      )}
      {!images && !error && (a !== undefined || b !== undefined) && (
        <div className={styles['skeleton']} aria-busy="true" />
      )}
      {left && right && <Stage key={`${left.id} ${right.id}`} left={left} right={right} mode={mode} />}
      {(left || right) && (
        <div className={styles['captions']}>
          {left && <Caption image={left} name="A" onRemove={right && (() => go({ a: b, b: undefined }))} />}
          {right && <Caption image={right} name="B" onRemove={left && (() => go({ b: undefined }))} />}
        </div>
      )}
      {images && !(left && right) && (
        <Candidates image={left ?? right} onChoose={(id) => go(left ? { b: id } : { a: id })} />
      )}
    </div>
  )
}

type Pair = readonly [ComparedImage | undefined, ComparedImage | undefined]

function useImages(a: string | undefined, b: string | undefined) {
  const { connection } = useSession()
  const [found, setFound] = useState<{ of: string; images: Pair }>()
  const [error, setError] = useState<Error>()
  const [reads, setReads] = useState(0)
  const of = `${a ?? ''} ${b ?? ''}`
  useEffect(() => {
    const ids = [a, b].filter((id) => id !== undefined)
    if (ids.length === 0) return undefined
    const abort = new AbortController()
    const read = async () => {
      setError(undefined)
      const nodes = await connection.read(ReadComparedImages, { ids }, abort.signal)
      const missing = ids.find((id) => !nodes.some((node) => node?.id === id))
      if (missing !== undefined)
        throw new Error(`This project has no image ${missing}. It may have been deleted.`)
      const get = (id: string | undefined) =>
        nodes.find((node) => node?.id === id) as ComparedImage | undefined
      setFound({ of, images: [a === undefined ? undefined : get(a), b === undefined ? undefined : get(b)] })
    }
    read().catch((problem: unknown) => {
      if (!abort.signal.aborted) setError(problem as Error)
    })
    return () => abort.abort()
  }, [connection, a, b, of, reads])
  return {
    images: found?.of === of ? found.images : undefined,
    error,
    reload: () => setReads(reads + 1),
  }
}
