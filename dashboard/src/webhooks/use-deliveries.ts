import { useEffect, useRef } from 'react'
import { ListDeliveries, type DeliveryRow, type WebhookDeliveryState } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import { useList, type List } from '../ui/use-list.ts'

const PAGE_SIZE = 50
/** While one is pending. */
const PENDING_MS = 5_000
/** After a task ended: its message is sent at once. */
const SETTLE_MS = 1_500

/** Newest first. Read again after each end of a task, and while a delivery is pending. */
export function useDeliveries(
  filter: { state?: WebhookDeliveryState | undefined; webhookId?: string | undefined },
  version: number,
): List<DeliveryRow> {
  const { feed } = useSession()
  const list = useList(
    (connection, after, signal) =>
      connection.read(
        ListDeliveries,
        { ...filter, first: PAGE_SIZE, ...(after !== undefined && { after }) },
        signal,
      ),
    `deliveries ${JSON.stringify(filter)}`,
    { version },
  )
  const { items, reload } = list
  const hasPending = items?.some(({ state }) => state === 'PENDING') ?? false
  useEffect(() => {
    if (!hasPending) return undefined
    const timer = setInterval(() => {
      if (!document.hidden) reload()
    }, PENDING_MS)
    return () => clearInterval(timer)
  }, [hasPending, reload])

  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => {
    const end = feed.subscribeEvents(({ type }) => {
      if (type !== 'TaskFinished' && type !== 'OutcomeBecameUnknown') return
      timer.current ??= setTimeout(() => {
        timer.current = undefined
        reload()
      }, SETTLE_MS)
    })
    return () => {
      end()
      clearTimeout(timer.current)
      timer.current = undefined
    }
  }, [feed, reload])
  return list
}
