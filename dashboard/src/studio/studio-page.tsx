import { useSession } from '../session/context.ts'
import { NoRight } from '../shell/no-right.tsx'
import { Problem } from '../ui/problem.tsx'
import { Studio } from './studio.tsx'
import styles from './studio.module.css'
import { useOffers } from './use-offers.ts'

/** Makes and edits pictures with every setting of a model, and their cost before anything is sent. */
export function StudioPage() {
  const { may } = useSession()
  if (!may('GENERATE')) return <NoRight scope="GENERATE" text="This key may not create tasks" />
  if (!may('READ')) return <NoRight scope="READ" text="This key may create tasks but not watch them" />
  return <Loader />
}

function Loader() {
  const { found, error, reload } = useOffers()
  if (error)
    return (
      <>
        <title>Studio · Darkroom</title>
        <h1 className="hidden">Studio</h1>
        <Problem error={error} onRetry={reload} />
      </>
    )
  if (!found) return <Skeleton />
  if (found.offers.length === 0)
    return (
      <div className={styles['nothing']}>
        <title>Studio · Darkroom</title>
        <h1>No provider offers a model</h1>
        <p className="muted">Add a provider to the configuration of the server, and start it again.</p>
      </div>
    )
  return <Studio {...found} />
}

function Skeleton() {
  return (
    <div className={styles['studio']} aria-busy="true">
      <title>Studio · Darkroom</title>
      <div className={styles['columns']}>
        <div className={styles['canvas']}>
          <div className={styles['skeleton']} data-part="prompt" />
          <div className={styles['skeleton']} data-part="images" />
        </div>
        <div className={styles['skeleton']} data-part="settings" />
      </div>
    </div>
  )
}
