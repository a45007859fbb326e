// More settings of the Studio, and the page of a task, in Chromium against a real server with the sandbox.
import type { Browser } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { launch, openPage, violations } from './browser.ts'

let browser: Browser
let server: TestGateway
beforeAll(async () => {
  browser = await launch()
  server = await openGateway({
    providers: [{ name: 'sandbox', dialect: 'sandbox', durationMs: 0, extra: ['seed'] }],
  })
})
afterAll(async () => {
  await browser?.close()
  await server?.[Symbol.asyncDispose]()
})

const open = async (path: string) => (await openPage(browser, server.url + path)).page

it('parameters of the provider, labels and policies are sent, and filled in again from the task', async () => {
  const page = await open('/studio')
  await page.getByText('More settings').click()
  await page.getByLabel('seed').fill('7')
  await page.getByRole('button', { name: 'Label' }).click()
  await page.getByLabel('Name of label 1').fill('team')
  await page.getByLabel('Value of label 1').fill('north')
  await page.getByRole('textbox', { name: 'End user' }).fill('ann')
  await page.getByText('Send again').click()
  expect(await violations(page)).toEqual([])
  await page.getByRole('textbox', { name: 'Prompt' }).fill('a lock')
  await page.getByRole('button', { name: 'Generate' }).click()
  await page.locator('[data-task] [data-state=final]').waitFor()
  const { tasks } = await server.get<{ tasks: { nodes: { id: string }[] } }>(
    `{ tasks(first: 1) { nodes {
      id extra metadata { key value } safetyIdentifier onUnknownOutcome maxCharges warnings { field }
    } } }`,
  )
  const [task] = tasks.nodes
  expect(task).toMatchObject({
    extra: { seed: 7 },
    warnings: [],
    metadata: [{ key: 'team', value: 'north' }],
    safetyIdentifier: 'ann',
    onUnknownOutcome: 'RESEND',
    maxCharges: 2,
  })
  const again = await open(`/studio?task=${task?.id}`)
  await again.getByText('4 set').waitFor()
  await again.getByText('More settings').click()
  expect(await again.getByLabel('seed').inputValue()).toBe('7')
})

describe('the page of a task', () => {
  it('marks the attempt of its address, shows what was asked, and opens its neighbors by j and k', async () => {
    const png = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#345' } })
      .png()
      .toBuffer()
    const dataUrl = `data:image/png;base64,${png.toString('base64')}`
    const inputs = [
      { prompt: 'a first' },
      {
        prompt: 'a second',
        providers: ['sandbox'],
        images: [{ dataUrl }],
        callbackUrl: 'https://nowhere.invalid/done',
      },
    ]
    const ids: string[] = []
    for (const input of inputs) {
      const id = await server.generate(input)
      await server.ended(id)
      ids.push(id)
    }
    const [first, second] = ids
    const { task } = await server.get<{ task: { attempts: { id: string }[] } }>(
      'query ($id: ID!) { task(id: $id) { attempts { id } } }',
      { id: second },
    )
    const page = await open(`/tasks/${second}?attempt=${task.attempts[0]?.id}`)
    await page.locator('section[aria-current]').waitFor()
    await page.getByRole('tab', { name: 'Request' }).click()
    await page.getByRole('rowheader', { name: 'callbackUrl' }).waitFor()
    await page.getByRole('tab', { name: 'Events' }).click()
    await page.getByText('to https://nowhere.invalid/done').waitFor()
    expect(await violations(page)).toEqual([])
    await page.locator('h1').click()
    await page.keyboard.press('j')
    await page.waitForURL(`${server.url}/tasks/${first}`)
    await page.getByRole('heading', { name: 'a first' }).waitFor()
    await page.keyboard.press('k')
    await page.waitForURL(`${server.url}/tasks/${second}`)
    await page.getByRole('heading', { name: 'a second' }).waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => new URL(page.url()).pathname).toBe('/')
  })
})
