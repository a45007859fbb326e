import type { LiveTask } from '../api/generated.ts'
import { Icon, type IconName } from './icon.tsx'
import styles from './status.module.css'

const STATES: Readonly<Record<LiveTask['status'], { text: string; icon: IconName; tone: string }>> = {
  QUEUED: { text: 'Queued', icon: 'clock', tone: 'neutral' },
  RUNNING: { text: 'Developing', icon: 'drop', tone: 'active' },
  SUCCEEDED: { text: 'Done', icon: 'check', tone: 'good' },
  FAILED: { text: 'Failed', icon: 'cross', tone: 'bad' },
  CANCELED: { text: 'Canceled', icon: 'stop', tone: 'neutral' },
  OUTCOME_UNKNOWN: { text: 'Outcome unknown', icon: 'question', tone: 'warn' },
}

export function statusText(status: LiveTask['status']): string {
  return STATES[status].text
}

export function Status({ status, isOverlay = false }: { status: LiveTask['status']; isOverlay?: boolean }) {
  const { text, icon, tone } = STATES[status]
  return (
    <span className={styles['status']} data-tone={tone} data-overlay={isOverlay || undefined}>
      <Icon name={icon} />
      {text}
    </span>
  )
}
