// Calls by unmodified SDKs through a proxy that breaks a third of the connections, to a gateway that is killed again and
// again. A caller whose call failed asks again, as a person does.
import { setTimeout as sleep } from 'node:timers/promises'
import { startAcedataUpstream } from '../providers/upstreams/acedata.ts'
import { afterBytes, startFlakyProxy, type Cut } from '../scale/flaky-proxy.ts'
import { TUNING } from '../storm/gateways.ts'
import type { Place } from '../support/database.ts'
import { startGateway, type GatewayProcess } from '../support/gateway-process.ts'
import type { Random } from '../support/random.ts'
import { startProgram, type ClientProgram } from './client-program.ts'
import { readRecords } from './rest-server.ts'

export interface CutsResult {
  calls: number
  /** Callers that have their picture. */
  served: number
  charges: number
  tasks: number
  /**
   * Tasks whose request was cut by a kill and never reached the upstream. Their callers were told that the outcome is unknown, and
   * asked again.
   */
  unknown: number
  cuts: number
  kills: number
  /** Requests of the SDKs, and calls by callers, including those that were repeated. */
  requests: number
  asked: number
  /** Requests that attached to an earlier call. */
  attached: number
  ms: number
}

interface CutsOptions {
  place: Place
  calls: number
  kills: number
  /** At the same time. */
  callers: number
  random: Random
}

/** A response has about two thousand bytes. */
const MAX_CUT_BYTES = 2_500
const MAX_CUT_MS = 150
const MAX_ASKS = 30

export async function callThroughCuts(options: CutsOptions): Promise<CutsResult> {
  const { place, calls, kills, callers, random } = options
  const upstream = await startAcedataUpstream()
  const provider = {
    name: 'paid',
    dialect: 'acedata',
    baseUrl: upstream.url,
    apiKey: 'ace-test-key',
    mode: 'async',
    pollMs: 50,
  }
  const settings = { providers: [provider], engine: TUNING, settings: { rest: { waitMs: 3_000 } } }
  let gateway: GatewayProcess = await startGateway(place, settings)
  const port = Number(new URL(gateway.url).port)
  let cuts = 0
  const proxy = await startFlakyProxy(
    () => `http://127.0.0.1:${port}`,
    (): Cut => {
      if (random.next() > 1 / 3) return {}
      cuts += 1
      const afterMs = Math.floor(random.next() * MAX_CUT_MS)
      if (random.next() < 0.3) return { afterMs, reset: true }
      return { within: afterBytes(Math.floor(random.next() * MAX_CUT_BYTES)), reset: true }
    },
  )
  const programs = await Promise.all(['rest-openai', 'rest-ai'].map(startProgram))
  const counts = { served: 0, requests: 0, asked: 0, attached: 0, kills: 0 }
  const startedAt = Date.now()
  let next = 0

  async function ask(program: ClientProgram, prompt: string): Promise<boolean> {
    counts.asked += 1
    const params = { prompt, model: 'gpt-image-2', ...(program === programs[1] && { provider: 'openai' }) }
    const outcome = await program.call<{ data?: unknown[]; images?: unknown[] }>('generate', {
      url: proxy.url,
      params,
    })
    counts.requests += outcome.requests.length
    counts.attached += outcome.requests.filter(
      ({ reply }) => reply?.['darkroom-replayed'] !== undefined,
    ).length
    if (outcome.value) return (outcome.value.data ?? outcome.value.images ?? []).length === 1
    const last = outcome.requests.at(-1)
    // Told that it may have been charged: the caller asks again when the picture has arrived.
    if (last?.status === 424) await arrived(port, last.reply?.['darkroom-task-id'] ?? '')
    else await sleep(100)
    return false
  }

  async function runCaller(): Promise<void> {
    for (let number = next++; number < calls; number = next++) {
      const program = programs[number % programs.length]!
      for (let asks = 0; asks < MAX_ASKS; asks++) {
        if (!(await ask(program, `picture ${number}`))) continue
        counts.served += 1
        break
      }
    }
  }

  async function killAgainAndAgain(isOver: () => boolean): Promise<void> {
    while (counts.kills < kills) {
      while (counts.served < ((counts.kills + 1) * calls) / (kills + 1)) {
        // A caller has given up.
        if (isOver()) return
        await sleep(20)
      }
      counts.kills += 1
      await gateway.kill()
      gateway = await startGateway(place, { ...settings, port })
    }
  }

  let isOver = false
  const asking = Promise.all(Array.from({ length: callers }, runCaller)).then(() => (isOver = true))
  await Promise.all([killAgainAndAgain(() => isOver), asking])
  const ms = Date.now() - startedAt
  await Promise.all(programs.map((program) => program[Symbol.asyncDispose]()))
  await proxy.close()
  await gateway[Symbol.asyncDispose]()
  await upstream.close()
  const { tasks, unknown } = readRecords(place.dataDir)
  return { calls, ...counts, charges: upstream.ledger.length, tasks, unknown, cuts, ms }
}

async function arrived(port: number, id: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const task = await fetch(`http://127.0.0.1:${port}/v1/images/tasks/${id}?response_format=url`, {
      headers: { authorization: 'Bearer test' },
    })
      .then((response) => response.json())
      .catch(() => ({}))
    if (task.status === 'completed') return
    await sleep(100)
  }
}
