// The memory that twenty large images need when they arrive at once: `npx node bench/spill.ts`. The upstream and each
// reader are separate processes, so that a figure is that of one new reader.
import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { peakRssMb } from './child.ts'
import { spillJson } from '../src/providers/wire/json-spill.ts'
import { createUpstream } from '../src/providers/wire/http.ts'
import { readEvents } from '../src/providers/wire/sse.ts'

const CALLS = 20
const BASE64_BYTES = 20_000_000
const PARTIALS = 3
const LIMIT_MB = 250

const [role = 'all', kind = 'json', url = ''] = process.argv.slice(2)
if (role === 'serve') serve()
else if (role === 'read') await read(kind, url)
else await runAll()

async function runAll(): Promise<void> {
  const upstream = fork(import.meta.filename, ['serve'])
  const address = String(await messageOf(upstream))
  for (const each of ['json', 'sse']) {
    const reader = fork(import.meta.filename, ['read', each, address])
    const [baseMb, peakMb, ms] = z.tuple([z.number(), z.number(), z.number()]).parse(await messageOf(reader))
    const verdict = peakMb < LIMIT_MB ? 'ok' : `OVER ${LIMIT_MB} MB`
    console.log(
      `${each}: ${CALLS} x ${BASE64_BYTES / 1e6} MB at once: peak RSS ${peakMb} MB (${baseMb} idle), ${ms} ms, ${verdict}`,
    )
    if (peakMb >= LIMIT_MB) process.exitCode = 1
    await ended(reader)
  }
  upstream.kill()
}

async function messageOf(child: ChildProcess): Promise<unknown> {
  const [message]: unknown[] = await once(child, 'message')
  return message
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null) await once(child, 'exit')
}

function serve(): void {
  const base64 = Buffer.from(randomBytes((BASE64_BYTES / 4) * 3).toString('base64'))
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/json') {
      response.setHeader('content-type', 'application/json')
      await send(response, '{"data":[{"b64_json":"', base64, '"}],"usage":{"input_tokens":10}}')
    } else {
      response.setHeader('content-type', 'text/event-stream')
      for (let index = 0; index < PARTIALS; index++) {
        await send(
          response,
          'event: partial_image\ndata: {"b64_json":"',
          base64,
          `","partial_image_index":${index}}\n\n`,
        )
      }
      await send(response, 'event: completed\ndata: {"b64_json":"', base64, '"}\n\n')
    }
    response.end()
  }
  const server = createServer((request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (address && typeof address === 'object') process.send?.(`http://127.0.0.1:${address.port}`)
  })
}

async function send(response: ServerResponse, head: string, base64: Buffer, tail: string): Promise<void> {
  for (const part of [Buffer.from(head), base64, Buffer.from(tail)]) {
    if (!response.write(part)) await once(response, 'drain')
  }
}

async function read(each: string, baseUrl: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'darkroom-bench-'))
  const upstream = createUpstream({ name: 'bench', baseUrl, timeoutMs: 60_000, secrets: [] })
  const baseMb = Math.round(peakRssMb())
  const start = performance.now()
  const files: string[] = []
  const newFile = () => {
    const file = join(folder, String(files.length))
    files.push(file)
    return file
  }
  const call = { signal: AbortSignal.timeout(60_000), onWire: () => undefined }

  async function one(): Promise<void> {
    const { body } = await upstream.send({ method: 'GET', path: `/${each}`, headers: {} }, call)
    if (each === 'json') await spillJson(body, newFile)
    else
      for await (const event of readEvents(body, newFile))
        if (event.data === undefined) throw new Error('not JSON')
  }

  await Promise.all(Array.from({ length: CALLS }, one))
  const expected = CALLS * (each === 'json' ? 1 : PARTIALS + 1)
  const whole = files.filter((file) => statSync(file).size === (BASE64_BYTES / 4) * 3)
  if (whole.length !== expected) throw new Error(`${whole.length} of ${expected} files are whole`)
  rmSync(folder, { recursive: true })
  await upstream.close()
  process.send?.([baseMb, Math.round(peakRssMb()), Math.round(performance.now() - start)])
  process.disconnect?.()
}
