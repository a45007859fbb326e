import { useEffect, useState } from 'react'
import { ListImages, type ComparedImage, type Picture as PictureData } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import { Picture } from '../ui/picture.tsx'
import { Problem } from '../ui/problem.tsx'
import styles from './candidates.module.css'

interface CandidatesProps {
  /** The one that is there. */
  image: ComparedImage | undefined
  onChoose: (id: string) => void
}

const PAGE_SIZE = 60

/** Other images of the same task first, then the newest of the project. */
export function Candidates({ image, onChoose }: CandidatesProps) {
  const { images, error, reload } = useNewest()
  const own = [...(image?.task.images ?? []), ...(image?.task.inputImages ?? [])]
  const all = [...new Map([...own, ...(images ?? [])].map((one) => [one.id, one])).values()]
  const others = all.filter(({ id }) => id !== image?.id)
  return (
    <section className={styles['candidates']} aria-labelledby="candidates-title">
      <h2 id="candidates-title">Compare with</h2>
      {error && <Problem error={error} onRetry={reload} />}
      {images && others.length === 0 && <p className="muted">This project has no other picture.</p>}
      <ul className={styles['grid']}>
        {others.map((one) => (
          <li key={one.id}>
            <button type="button" onClick={() => onChoose(one.id)}>
              <Picture image={one} alt={`${one.width} × ${one.height}, ${one.id}`} sizes="160px" />
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

function useNewest() {
  const { connection } = useSession()
  const [images, setImages] = useState<readonly PictureData[]>()
  const [error, setError] = useState<Error>()
  const [reads, setReads] = useState(0)
  useEffect(() => {
    const abort = new AbortController()
    const filter = { kinds: ['FINAL' as const, 'INPUT' as const] }
    connection.read(ListImages, { first: PAGE_SIZE, filter }, abort.signal).then(
      ({ nodes }) => {
        setImages(nodes)
        setError(undefined)
      },
      (problem: unknown) => {
        if (!abort.signal.aborted) setError(problem as Error)
      },
    )
    return () => abort.abort()
  }, [connection, reads])
  return { images, error, reload: () => setReads(reads + 1) }
}
