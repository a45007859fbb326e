import { setTimeout as pause } from 'node:timers/promises'
import { openChild, type Child } from './child.ts'
import type { GatewayVerbs } from './children/gateway.ts'
import type { WebhookReceiverVerbs } from './children/webhook-receiver.ts'
import { ask, generate } from './graphql.ts'
import { alternate, compare, percentile, type Sample } from './measure.ts'
import type { Section } from './table.ts'

const ROUNDS = 5
const [HEALTHY, HANGING, FAILING] = [14, 3, 3]
const TASKS = 40
/** A task fails at once, which is one event for each webhook: about 300 deliveries per second. */
const EVERY_MS = 60

/** How much receivers that hang or fail delay the deliveries to healthy ones. */
export async function webhooks(): Promise<Section> {
  await using mixed = openChild<GatewayVerbs>('gateway')
  await using healthy = openChild<GatewayVerbs>('gateway')
  await using receiver = openChild<WebhookReceiverVerbs>('webhook-receiver')
  const to = await receiver.call('start')
  const paths = (kind: string, count: number) => Array.from({ length: count }, (_, i) => `${to}/${kind}/${i}`)
  const ok = paths('healthy', HEALTHY)
  const all = [...paths('hanging', HANGING), ...paths('failing', FAILING), ...ok]
  const rounds = await alternate(ROUNDS, {
    ours: await openSide(mixed, receiver, all),
    reference: await openSide(healthy, receiver, ok),
  })
  const against = 'the same without them'
  return {
    title: `webhooks · deliveries to ${HEALTHY} healthy receivers beside ${HANGING} that hang and ${FAILING} that fail, on SQLite`,
    notes: [
      'From the event to its arrival. Nothing is painted. CPU is that of the gateway per healthy delivery.',
    ],
    rows: [
      { what: 'delay P50', unit: 'ms', against, figures: compare(rounds, 'p50') },
      { what: 'delay P95', unit: 'ms', against, figures: compare(rounds, 'p95') },
      { what: 'server CPU', unit: 'µs', against, figures: compare(rounds, 'cpu') },
    ],
  }
}

async function openSide(
  gateway: Child<GatewayVerbs>,
  receiver: Child<WebhookReceiverVerbs>,
  urls: readonly string[],
): Promise<() => Promise<Sample>> {
  const providers = [{ name: 'sandbox', dialect: 'sandbox', durationMs: 0, scenario: 'reject' }]
  const url = `${await gateway.call('start', { providers })}/graphql`
  for (const webhook of urls) {
    const text = await (
      await ask(url, `mutation { createWebhook(input: { url: "${webhook}" }) { secret } }`)
    ).text()
    if (text.includes('"errors"')) throw new Error(text.slice(0, 500))
  }
  return async () => {
    const cpu = await gateway.call('cpuMicros')
    for (let nth = 0; nth < TASKS; nth++) {
      await generate(url, `{ prompt: "a courier ${nth}" }`)
      await pause(EVERY_MS)
    }
    const delays = await receiver.call('take', TASKS * HEALTHY)
    const used = (await gateway.call('cpuMicros')) - cpu
    return { p50: percentile(delays, 0.5), p95: percentile(delays, 0.95), cpu: used / (TASKS * HEALTHY) }
  }
}
