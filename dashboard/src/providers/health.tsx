import type { ProviderState } from '../api/generated.ts'
import { useNow } from '../live/hooks.ts'
import { Icon, type IconName } from '../ui/icon.tsx'
import styles from './health.module.css'

const STATES: Readonly<Record<ProviderState['health'], { text: string; icon: IconName; tone: string }>> = {
  HEALTHY: { text: 'Healthy', icon: 'check', tone: 'good' },
  PROBING: { text: 'Probing', icon: 'search', tone: 'warn' },
  COOLDOWN: { text: 'Cooldown', icon: 'clock', tone: 'warn' },
  PAUSED: { text: 'Paused', icon: 'pause', tone: 'bad' },
}

export function Health({ health }: { health: ProviderState['health'] }) {
  const { text, icon, tone } = STATES[health]
  return (
    <span className={styles['health']} data-tone={tone}>
      <Icon name={icon} />
      {text}
    </span>
  )
}

/** Each cause with its model and the time left. */
export function Cooldowns({ cooldowns }: { cooldowns: ProviderState['cooldowns'] }) {
  const now = useNow(1_000)
  return cooldowns.map(({ model, reason, startedAt, endsAt }) => (
    <p key={`${model} ${startedAt}`} className={styles['cooldown']}>
      {model !== null && <strong>{model}: </strong>}
      {reason} <span className="muted">{endsAt === null ? 'Until resumed.' : leftText(endsAt, now)}</span>
    </p>
  ))
}

function leftText(endsAt: string, now: number): string {
  const seconds = Math.ceil((Date.parse(endsAt) - now) / 1_000)
  if (seconds <= 0) return 'Ends now.'
  const minutes = Math.floor(seconds / 60)
  return minutes === 0
    ? `${seconds} s left.`
    : `${minutes} min ${String(seconds % 60).padStart(2, '0')} s left.`
}
