import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')

it('serve stops with npm start, and releases its port and data folder', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-npm-'))
  const env = { ...process.env, PORT: '0', DATA_DIR: dataDir, LOG_LEVEL: 'error' }
  // In a process group of its own, so that nothing outlives a failed test.
  const npm = spawn('npm', ['start'], { cwd: ROOT, env, shell: process.platform === 'win32', detached: true })
  let output = ''
  npm.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  try {
    await expect.poll(() => output).toContain('Ctrl-C to stop')
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0] ?? ''
    expect((await fetch(`${url}/livez`)).status).toBe(200)
    npm.kill('SIGTERM')
    // The server keeps the pipe open after npm has ended.
    await expect.poll(() => output).toMatch(/Stopped\.\n$/)
    await expect(fetch(`${url}/livez`)).rejects.toThrow('fetch failed')
  } finally {
    killGroup(npm.pid)
    await rm(dataDir, { recursive: true, force: true, maxRetries: 3 })
  }
})

function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL')
  } catch {
    // Everything has ended.
  }
}
