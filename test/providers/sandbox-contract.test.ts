// The sandbox has no upstream and sends nothing, so only the part of the contract that is not about a wire applies. The
// prompt selects its scenario.
import sharp from 'sharp'
import type { ProviderRequest, ProviderRequestImage, Provider } from '../../src/providers/provider.ts'
import { sandbox } from '../../src/providers/sandbox/sandbox.ts'
import type { Scenario } from '../../src/providers/sandbox/scenario.ts'
import { develop, inputOf, type Developed } from './call.ts'
import type { Setting } from './contract-settings.ts'
import type { Upstream } from './contract-subject.ts'
import { testInProcess } from './contract.ts'

const QUICK = sandbox.options.parse({ durationMs: 0 })
const background = { r: 200, g: 120, b: 40, alpha: 0.5 }
const png = await sharp({ create: { width: 64, height: 64, channels: 4, background } })
  .png()
  .toBuffer()

/** Format, size and number of previews must be as requested. */
async function objection({ wishes }: Setting, { pictures, resolved, reports: heard }: Developed) {
  const { outputFormat = 'PNG', size = resolved.size, partialImages = 0 } = wishes
  const due = `${outputFormat.toLowerCase()} of ${size}`
  for (const bytes of pictures) {
    const { format, width, height } = await sharp(bytes).metadata()
    const came = `${format} of ${width}x${height}`
    if (came !== due) return `${came} and not ${due}`
  }
  const shown = heard.partials.length
  return shown === partialImages ? undefined : `${shown} previews and not ${partialImages}`
}

/** Adds the next scenario to each prompt, and records each request once it is dispatched. */
async function open(): Promise<{ provider: Provider; upstream: Upstream<Scenario> }> {
  const inner = sandbox.create('sandbox', QUICK)
  const twin = sandbox.create('twin', QUICK)
  const scenarios: Scenario[] = []
  const orders: ProviderRequest[] = []
  const requestIds: string[] = []
  const provider: Provider = {
    ...inner,
    submit(order, call) {
      const prompt = `${order.prompt} [sandbox:${scenarios.shift() ?? 'ok'}]`
      return inner.submit(
        { ...order, prompt },
        {
          ...call,
          onWire(phase, seen) {
            if (phase === 'DISPATCHED') orders.push(order)
            if (seen?.providerRequestId) requestIds.push(seen.providerRequestId)
            call.onWire(phase, seen)
          },
        },
      )
    },
  }
  return {
    provider,
    upstream: {
      script: (...next) => void scenarios.push(...next),
      orders: () => orders.length,
      refs: () => requestIds.map((id) => id.replace(/^sandbox-/, '')),
      // The same order painted by another is the same picture.
      painted: async () =>
        (await Promise.all(orders.map((order) => develop(twin, order)))).flatMap(({ pictures }) => pictures),
      objection,
      close: () => twin.close(),
    },
  }
}

testInProcess<Scenario>('sandbox', {
  open,
  secrets: [],
  failures: [
    ['a blocked prompt', 'rejected', 'MODERATION_BLOCKED', 'NO', 'moderation', [400]],
    ['an empty account', 'refused', 'PROVIDER_QUOTA', 'NO', 'quota', [429]],
    ['a bad parameter', 'rejected', 'PROVIDER_REJECTED', 'NO', 'reject', [400]],
    ['a failure of its own', 'broken', 'PROVIDER_BROKEN', 'NO', 'broken', [500]],
  ],
  waits: [['milliseconds', 'busy', 1000]],
  cut: ['vanish'],
  unreached: 'unreached',
  hang: 'stall',
  models: ['gpt-image-2', 'dall-e-3'],
  input: (): ProviderRequestImage => ({ ...inputOf(png), width: 64, height: 64, hasAlpha: true }),
  cannot: {
    request: 'the order itself is handed over, and there is no request to look different',
    refs: 'it has no headers; that it is told our own id is kept above',
    pieces: 'pictures are written to files whole',
    charges: 'it bills nobody, and so keeps no ledger',
    words: 'it has nobody else’s words to tell, and no secrets to redact in them',
    nonsense: 'there is no reply that could be misread',
    base64: 'pictures are written to files and never encoded',
    redirects: 'nothing is fetched',
    checks: 'it answers in the call itself, and accepts nothing for later',
    callbacks: 'it answers in the call itself, and calls nobody',
  },
})
