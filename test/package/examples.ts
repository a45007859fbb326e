// Starts the examples in a project that has installed the package.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect } from 'vitest'
import { listen } from '../providers/upstreams/listen.ts'
import { run, type ExitResult } from '../support/npm.ts'
import type { Installed } from './install.ts'

export interface ExpressResult {
  /** The page at `/`. */
  html: string
  /** Paths of the client's modules that the page loads. */
  modules: string[]
  /** Of the Node script, which uses the gateway of the server. */
  script: ExitResult
  exitCode: unknown
}

export async function runExpressAndScript({
  folder: project,
  nodes: { oldest: node },
  env,
}: Installed): Promise<ExpressResult> {
  const cwd = join(project, 'express')
  await mkdir(cwd)
  const port = await freePort()
  const server = spawn(node, [join(project, 'examples/express/server.mjs')], {
    cwd,
    env: { ...env, PORT: port },
  })
  const ended = once(server, 'close')
  let output = ''
  server.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  server.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
  try {
    await expect.poll(() => output).toContain('http://localhost')
    const url = `http://localhost:${port}`
    const html = await (await fetch(url)).text()
    const [, entry = ''] = /from '\.(\/darkroom-client\/[^']+)'/.exec(html) ?? []
    const modules = await loadModules(new URL(entry, url))
    const args = [join(project, 'examples/node/generate.mjs'), 'a ferry [sandbox:duration=200]']
    const script = await run(node, args, { cwd, env: { ...env, DARKROOM_URL: `${url}/images` } })
    return { html, modules, script, exitCode: await stop() }
  } finally {
    await stop()
  }

  async function stop(): Promise<unknown> {
    server.kill('SIGTERM')
    const [code]: unknown[] = await ended
    return code
  }
}

/** Loads a module and its imports as a browser does. */
async function loadModules(url: URL, found = new Set<string>()): Promise<string[]> {
  if (found.has(url.pathname)) return [...found]
  found.add(url.pathname)
  const response = await fetch(url)
  if (!response.headers.get('content-type')?.includes('javascript'))
    throw new Error(`${url.href} is no script`)
  const text = await response.text()
  for (const [, target = ''] of text.matchAll(/^(?:import|export)\b(?:[^'\n]*?\bfrom)? '([^']+)'/gm))
    await loadModules(new URL(target, url), found)
  return [...found]
}

async function freePort(): Promise<string> {
  const server = createServer()
  const { port } = new URL(await listen(server))
  server.close()
  return port
}
