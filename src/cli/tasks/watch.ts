import { systemClock } from '../../clock.ts'
import { formatMs } from '../format.ts'
import { resumeUntilEnd, type Retries } from '../resume.ts'
import type { Screen } from '../screen.ts'
import type { ServerClient } from '../server-client.ts'
import { createLiveView } from '../terminal/live-view.ts'
import type { ImageProtocol } from '../terminal/protocol.ts'
import { createPlainView, type View } from '../terminal/view.ts'
import type { FoundTask } from './find.ts'
import { readHistory, type History } from './history.ts'
import { previewUrl } from './preview.ts'
import { WATCH_TASK, type WatchedEvent } from './operations.ts'

/** A server that finishes its calls takes up to four minutes to restart. */
const RETRIES: Retries = { max: 60, delayMs: 250, maxDelayMs: 5_000 }

/** From the current state until the end, or an unknown outcome. Reconnects without a gap. */
export async function* watchEvents(
  client: ServerClient,
  { task: { id }, projectId }: FoundTask,
  onDisconnect: () => void,
): AsyncGenerator<WatchedEvent> {
  async function* subscribe(after: string | undefined) {
    const variables = { id, ...(after !== undefined && { after }) }
    for await (const { taskEvents } of client.subscribe({ ...WATCH_TASK, variables, projectId }))
      yield taskEvents
  }
  const options = { retries: RETRIES, signal: client.signal, onDisconnect }
  for await (const event of resumeUntilEnd(subscribe, options)) {
    yield event
    // Its stream stays open until an operator resolves it.
    if (event.task.status === 'OUTCOME_UNKNOWN') return
  }
}

/** Returns when the task has ended. */
export async function showProgress(
  client: ServerClient,
  found: FoundTask,
  { out, protocol }: { out: Screen; protocol: ImageProtocol },
): Promise<void> {
  const history = await readHistory(client, found)
  const view = out.isTerminal
    ? createLiveView(out, systemClock, { protocol, estimate: history.estimate })
    : createPlainView(out)
  try {
    view.print(`  ${found.task.id}${out.paint('dim', historyText(history))}`)
    const events = watchEvents(client, found, () => view.print('  Connection lost; reconnecting.'))
    for await (const event of events) await show(event, client, view)
    await showResult(client, found, view)
  } finally {
    await view.close()
  }
}

function historyText({ durationsMs, estimate }: History): string {
  const usual = estimate.remainingMs(0)
  return usual === null
    ? ''
    : `  usually ${formatMs(usual)}, measured for ${durationsMs.length} similar tasks`
}

async function show({ task, status, partialImage }: WatchedEvent, client: ServerClient, view: View) {
  const isDone = status === 'SUCCEEDED'
  view.update({ ...task, status: status ?? task.status, progress: isDone ? 1 : task.progress })
  // Each partial image is less red.
  if (partialImage)
    await showPreview(client, partialImage.image.url, { view, tint: 0.9 - 0.2 * partialImage.index })
}

async function showResult(client: ServerClient, { task, projectId }: FoundTask, view: View): Promise<void> {
  const url = await previewUrl(client, task.id, projectId)
  if (url !== undefined) await showPreview(client, url, { view, tint: 0 })
}

/** A missing image does not end the watch. */
async function showPreview(
  client: ServerClient,
  url: string,
  { view, tint }: { view: View; tint: number },
): Promise<void> {
  const bytes = await client.download(url).catch(() => undefined)
  if (bytes !== undefined) await view.showImage(bytes, tint)
}
