import type { WebhookDeliveryState } from '../api/generated.ts'
import { Icon } from '../ui/icon.tsx'
import parts from '../ui/parts.module.css'
import { STATE_TEXTS } from './texts.ts'

export function DeliveryState({ state }: { state: WebhookDeliveryState }) {
  const { text, tone, icon } = STATE_TEXTS[state]
  return (
    <span className={`${parts['state']} ${parts[tone]}`}>
      <Icon name={icon} /> {text}
    </span>
  )
}
