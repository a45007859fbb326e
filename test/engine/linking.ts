// Providers whose results are at addresses of a real server, and what the engine has stored of them.
import { expect, onTestFinished } from 'vitest'
import { listAddresses } from '../../src/db/attempts/addresses.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { listAssets } from '../../src/db/tasks/assets.ts'
import { operatorOf } from '../../src/engine/access/access.ts'
import type { CallResult } from '../../src/providers/provider.ts'
import type { TestEngine } from '../support/engine.ts'
import { startLinkServer, type LinkServer } from '../support/link-server.ts'
import { REPORTED, scripted } from '../support/scripted.ts'

export const operator = operatorOf(DEFAULT_PROJECT)
export const quick = { pollMs: 20 }

export async function startLinks(): Promise<LinkServer> {
  const links = await startLinkServer()
  onTestFinished(() => links[Symbol.asyncDispose]())
  return links
}

export function answerOf(urls: readonly string[]): CallResult {
  const images = urls.map((url) => ({ url, revisedPrompt: 'a fox, revised' }))
  return { state: 'DONE', images, usage: REPORTED, resolved: { size: '16x16' } }
}

/** A provider whose results are at these addresses. */
export function linking(links: LinkServer, urls: readonly string[], ttlMs?: number) {
  return scripted(
    async ({ call }) => {
      call.onWire('BODY_DONE', { httpStatus: 200, providerRequestId: 'req-1' })
      return answerOf(urls)
    },
    { results: links.source(ttlMs) },
  )
}

export const addressesOf = async (one: TestEngine, taskId: string) => {
  const attempts = await one.attempts(taskId)
  return listAddresses(
    one.db.read,
    attempts.map(({ id }) => id),
  )
}
export const finalsOf = async (one: TestEngine, taskId: string) =>
  (await listAssets(one.db.read, [taskId])).filter(({ kind }) => kind === 'FINAL')
export async function fetching(one: TestEngine, taskId: string): Promise<void> {
  await expect.poll(async () => (await one.attempts(taskId)).map(({ state }) => state)).toContain('FETCHING')
}
export async function tried(one: TestEngine, taskId: string): Promise<void> {
  await expect.poll(async () => (await addressesOf(one, taskId))[0]?.tries).toBeGreaterThan(0)
}
