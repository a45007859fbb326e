// Many large images sent at once, against limits.
import { setTimeout as pause } from 'node:timers/promises'
import { styleText } from 'node:util'
import { openChild } from './child.ts'
import type { GatewayVerbs } from './children/gateway.ts'
import type { UploaderVerbs, UploadKind } from './children/uploader.ts'
import { generate } from './graphql.ts'
import { percentile } from './measure.ts'

const UPLOADS = 150
const BYTES = 10_000_000
const PROBE_EVERY_MS = 20
const LIMITS = { peakMb: 600, probeMs: 200 }

/** A client in one process sends all images at once; another probes /livez. Sets the exit code when a limit is exceeded. */
export async function uploads(): Promise<string> {
  const kinds: UploadKind[] = ['padded upload', 'upload', 'data URL']
  const lines: string[] = []
  for (const kind of kinds) lines.push(await run(kind))
  const title = `uploads · ${UPLOADS} images of ${BYTES / 1e6} MB at once, on SQLite, against limits`
  return [styleText('bold', title), ...lines, ''].join('\n')
}

async function run(kind: UploadKind): Promise<string> {
  await using gateway = openChild<GatewayVerbs>('gateway')
  await using uploader = openChild<UploaderVerbs>('uploader')
  const providers = [{ name: 'sandbox', dialect: 'sandbox', concurrency: 1, timeoutMs: 3_600_000 }]
  const url = await gateway.call('start', { providers })
  // It has the only slot, so that nothing is painted.
  await generate(`${url}/graphql`, '{ prompt: "a wall [sandbox:stall]" }')
  const { peakMb: idleMb } = await gateway.call('load')
  await gateway.call('measureLoop')
  const ended = new AbortController()
  const probing = probe(`${url}/livez`, ended.signal)
  const sending = uploader.call('send', { url, kind, count: UPLOADS, bytes: BYTES })
  const { created, askedAgain, ms } = await sending.finally(() => ended.abort())
  const probes = await probing
  const { peakMb, maxMs, turnMs } = await gateway.call('load')
  const longest = Math.max(...probes)
  const isWithinLimits =
    peakMb < LIMITS.peakMb && longest < LIMITS.probeMs && created + askedAgain === UPLOADS && created > 0
  if (!isWithinLimits) process.exitCode = 1
  return (
    `  ${kind.padEnd(14)} peak memory ${peakMb.toFixed(0)} MB of ${LIMITS.peakMb} (${idleMb.toFixed(0)} idle)` +
    `   /livez P50 ${percentile(probes, 0.5).toFixed(1)}, maximum ${longest.toFixed(0)} ms of ${LIMITS.probeMs}` +
    `   event-loop delay ${maxMs.toFixed(0)} ms, in CPU time ${turnMs.toFixed(0)} ms   tasks ${created}, ask again ${askedAgain}   ${(ms / 1000).toFixed(1)} s`
  )
}

async function probe(url: string, signal: AbortSignal): Promise<number[]> {
  const times: number[] = []
  while (!signal.aborted) {
    const start = performance.now()
    const response = await fetch(url)
    await response.text()
    times.push(response.ok ? performance.now() - start : Infinity)
    await pause(PROBE_EVERY_MS)
  }
  return times
}
