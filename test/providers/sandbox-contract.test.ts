// The sandbox has no upstream and sends nothing, so only the promises that are not about HTTP apply. The prompt selects
// its scenario.
import sharp from 'sharp'
import type { ProviderRequest, ProviderRequestImage, Provider } from '../../src/providers/provider.ts'
import { sandbox } from '../../src/providers/sandbox/sandbox.ts'
import type { Scenario } from '../../src/providers/sandbox/scenario.ts'
import { runRequest, inputOf, type FinishedRequest } from './call.ts'
import type { Setting } from './contract-settings.ts'
import type { Upstream } from './contract-subject.ts'
import { testInProcess } from './contract.ts'

const OPTIONS = sandbox.options.parse({ durationMs: 0 })
const background = { r: 200, g: 120, b: 40, alpha: 0.5 }
const png = await sharp({ create: { width: 64, height: 64, channels: 4, background } })
  .png()
  .toBuffer()

/** Format, size and number of partial images must be as requested. */
async function problemWith({ overrides }: Setting, { imageBytes, resolved, reports }: FinishedRequest) {
  const { outputFormat = 'PNG', size = resolved.size, partialImages = 0 } = overrides
  const expected = `${outputFormat.toLowerCase()} of ${size}`
  for (const bytes of imageBytes) {
    const { format, width, height } = await sharp(bytes).metadata()
    const actual = `${format} of ${width}x${height}`
    if (actual !== expected) return `${actual}, not ${expected}`
  }
  const count = reports.partials.length
  return count === partialImages ? undefined : `${count} partial images, not ${partialImages}`
}

/** Adds the next scenario to each prompt, and records each request once it is dispatched. */
async function open(): Promise<{ provider: Provider; upstream: Upstream<Scenario> }> {
  const inner = sandbox.create('sandbox', OPTIONS)
  const twin = sandbox.create('twin', OPTIONS)
  const scenarios: Scenario[] = []
  const requests: ProviderRequest[] = []
  const requestIds: string[] = []
  const provider: Provider = {
    ...inner,
    submit(request, call) {
      const prompt = `${request.prompt} [sandbox:${scenarios.shift() ?? 'ok'}]`
      return inner.submit(
        { ...request, prompt },
        {
          ...call,
          onWire(phase, details) {
            if (phase === 'DISPATCHED') requests.push(request)
            if (details?.providerRequestId) requestIds.push(details.providerRequestId)
            call.onWire(phase, details)
          },
        },
      )
    },
  }
  return {
    provider,
    upstream: {
      script: (...next) => void scenarios.push(...next),
      requestCount: () => requests.length,
      clientRefs: () => requestIds.map((id) => id.replace(/^sandbox-/, '')),
      // The image of a request does not depend on the provider.
      sentImages: async () =>
        (await Promise.all(requests.map((request) => runRequest(twin, request)))).flatMap(
          ({ imageBytes }) => imageBytes,
        ),
      problemWith,
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
    request: 'the request object itself is passed, without an HTTP request',
    clientRefs: 'it has no headers; the client ref is tested above',
    pieces: 'images are written to files at once',
    charges: 'it charges nothing and has no ledger',
    messages: 'its messages are its own and contain no secrets',
    unreadable: 'it has no reply to read',
    base64: 'images are written to files without encoding',
    redirects: 'nothing is fetched',
    checks: 'it returns the result of the call, and accepts no requests',
    callbacks: 'it returns the result of the call, and sends no callbacks',
  },
})
