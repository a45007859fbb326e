import type { WebhookDeliveryState } from '../api/generated.ts'
import { Icon, type IconName } from '../ui/icon.tsx'
import parts from '../ui/parts.module.css'
import { STATE_TEXTS } from './texts.ts'

const LOOKS: Readonly<Record<WebhookDeliveryState, { tone: string; icon: IconName }>> = {
  SUCCEEDED: { tone: 'good', icon: 'check' },
  PENDING: { tone: 'warn', icon: 'clock' },
  FAILED: { tone: 'bad', icon: 'cross' },
}

export function DeliveryState({ state }: { state: WebhookDeliveryState }) {
  const { tone, icon } = LOOKS[state]
  return (
    <span className={`${parts['state']} ${parts[tone]}`}>
      <Icon name={icon} /> {STATE_TEXTS[state]}
    </span>
  )
}
