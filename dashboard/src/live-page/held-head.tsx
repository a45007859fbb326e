import type { ReactNode } from 'react'
import { Icon } from '../ui/icon.tsx'
import styles from './done-grid.module.css'
import { SectionTitle } from './section-title.tsx'
import type { Held } from './use-held.ts'

/** Title of a list that takes new tasks, with the buttons that hold it and that show the new ones. */
export function HeldHead({ title, held, children }: { title: string; held: Held; children?: ReactNode }) {
  const { newCount, isPaused, setIsPaused, showNew } = held
  return (
    <div className={styles['head']}>
      <SectionTitle text={title} />
      {newCount > 0 && (
        <button type="button" className="button" onClick={showNew}>
          {newCount} new
        </button>
      )}
      {children}
      <button
        type="button"
        className={`button quiet ${styles['pause']}`}
        title="Space"
        aria-pressed={isPaused}
        data-shortcut="Space"
        onClick={() => setIsPaused(!isPaused)}
      >
        <Icon name={isPaused ? 'play' : 'pause'} />
        {isPaused ? 'Continue' : 'Pause'}
      </button>
    </div>
  )
}
