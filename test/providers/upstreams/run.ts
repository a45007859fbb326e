// Runs a fake upstream, to try a dialect without an account:
//   node test/providers/upstreams/run.ts acedata
// Prints the environment variables for Darkroom, then every received request and every sent callback.
import process from 'node:process'
import { setInterval } from 'node:timers/promises'
import { startAcedataUpstream, type Delivery } from './acedata.ts'
import { startBasicUpstream } from './basic.ts'
import { startJimmyUpstream } from './jimmy.ts'
import { startOpenaiUpstream } from './openai.ts'
import { startPmockUpstream } from './pmock.ts'

interface Running {
  environment: Record<string, string>
  /** New requests are appended. */
  requests: { method?: string; path: string; body: Buffer }[]
  /** Callbacks are appended after their response. */
  deliveries?: Delivery[]
}

const KEY = 'key-of-the-fake'

const UPSTREAMS: Record<string, () => Promise<Running>> = {
  async openai() {
    const { url, requests } = await startOpenaiUpstream({ apiKey: KEY })
    return { requests, environment: { OPENAI_BASE_URL: url, OPENAI_API_KEY: KEY } }
  },
  async basic() {
    const { url, requests } = await startBasicUpstream({ apiKey: KEY })
    return { requests, environment: { BASIC_BASE_URL: url, BASIC_API_KEY: KEY } }
  },
  async pmock() {
    const keys = { accessKey: KEY, secretKey: 'secret-of-the-fake' }
    const { url, requests } = await startPmockUpstream({ ...keys, now: () => Date.now() })
    const environment = {
      PMOCK_BASE_URL: url,
      PMOCK_ACCESS_KEY: keys.accessKey,
      PMOCK_SECRET_KEY: keys.secretKey,
    }
    return { requests, environment }
  },
  async jimmy() {
    const { url, requests } = await startJimmyUpstream({ apiKey: KEY })
    return { requests, environment: { JIMMY_BASE_URL: url, JIMMY_API_KEY: KEY } }
  },
  async acedata() {
    const { url, requests, deliveries } = await startAcedataUpstream({
      apiKey: KEY,
      imageSize: 'as requested',
    })
    return { requests, deliveries, environment: { ACEDATA_BASE_URL: url, ACEDATA_API_KEY: KEY } }
  },
}

const PRINT_INTERVAL_MS = 50

await run(process.argv[2] ?? '')

async function run(dialect: string): Promise<void> {
  const start = Object.hasOwn(UPSTREAMS, dialect) ? UPSTREAMS[dialect] : undefined
  if (!start) {
    process.stderr.write(`Usage: node test/providers/upstreams/run.ts ${Object.keys(UPSTREAMS).join('|')}\n`)
    process.exitCode = 64
    return
  }
  const { environment, requests, deliveries = [] } = await start()
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  process.stdout.write(
    `In another terminal:\n\n  ${variables.join(' ')} npm run demo -- --provider ${dialect} "a fox"\n\n`,
  )
  let [shownRequests, shownDeliveries] = [0, 0]
  for await (const _ of setInterval(PRINT_INTERVAL_MS)) {
    for (const request of requests.slice(shownRequests)) process.stdout.write(`← ${describe(request)}\n`)
    for (const { url, body, status } of deliveries.slice(shownDeliveries))
      process.stdout.write(`→ POST ${url}  ${short(body)}  answered ${status ?? 'nothing'}\n`)
    ;[shownRequests, shownDeliveries] = [requests.length, deliveries.length]
  }
}

function describe({ method = 'POST', path, body }: Running['requests'][number]): string {
  return `${method} ${path}  ${short(body.toString('latin1').replaceAll(/\s+/g, ' '))}`
}

function short(text: string): string {
  return text.length > 500 ? `${text.slice(0, 500)}…` : text
}
