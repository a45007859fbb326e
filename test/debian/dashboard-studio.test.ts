// The Studio, Compare and the edit history in Chromium, against a real server with the sandbox and a fake of OpenAI.
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ModelCapabilities } from '../../dashboard/src/api/generated.ts'
import { openGatewayWithKeys } from '../access/gateway-with-keys.ts'
import { startOpenaiUpstream, type OpenaiUpstream } from '../providers/upstreams/openai.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { isInView, launch, layoutProblems, openPage, violations, type OpenOptions } from './browser.ts'
import { expectedFields, readAlphas, shownFields } from './studio-fields.ts'

let browser: Browser
let server: TestGateway
let openai: OpenaiUpstream
/** A square result of the sandbox. */
let image: string
beforeAll(async () => {
  browser = await launch()
  openai = await startOpenaiUpstream({ apiKey: 'key-of-the-fake' })
  server = await openGateway({
    providers: [
      { name: 'sandbox', dialect: 'sandbox', durationMs: 0 },
      {
        name: 'lab',
        dialect: 'sandbox',
        durationMs: 0,
        models: [{ name: 'dall-e-3', price: { imageMicros: 40_000 }, retiresOn: null }],
      },
      {
        name: 'paint',
        dialect: 'openai',
        baseUrl: openai.url,
        apiKey: 'key-of-the-fake',
        models: ['gpt-image-2'],
      },
    ],
  })
  image = await makeImage({ prompt: 'a pier', providers: ['sandbox'] })
})
afterAll(async () => {
  await browser?.close()
  await server?.[Symbol.asyncDispose]()
  await openai?.close()
})

async function makeImage(input: Record<string, unknown>): Promise<string> {
  const id = await server.generate(input)
  await server.ended(id)
  const { task } = await server.get<{ task: { images: { id: string }[] } }>(
    'query ($id: ID!) { task(id: $id) { images { id } } }',
    { id },
  )
  return task.images[0]?.id ?? ''
}

const open = async (path: string, options: OpenOptions = {}) =>
  (await openPage(browser, server.url + path, options)).page
const prompt = (page: Page) => page.getByRole('textbox', { name: 'Prompt' })
const generate = (page: Page) => page.getByRole('button', { name: 'Generate' })
const sent = (page: Page) => page.getByRole('region', { name: 'Sent from here' })
const model = (page: Page) => page.getByLabel('Model', { exact: true })

/** The newest task, once it has ended. */
async function newestTask<Data>(fields: string): Promise<Data & { id: string; prompt: string }> {
  const read = () =>
    server.get<{ tasks: { nodes: (Data & { id: string; prompt: string })[] } }>(
      `{ tasks(first: 1) { nodes { id prompt ${fields} } } }`,
    )
  const { tasks } = await read()
  await server.ended(tasks.nodes[0]?.id ?? '')
  const [task] = (await read()).tasks.nodes
  if (!task) throw new Error('There is no task.')
  return task
}

/** Fills in the prompt, waits for the cost, sends it and waits for the accepted task. */
async function send(page: Page, text: string): Promise<void> {
  const before = await sent(page).locator('[data-task]').count()
  await prompt(page).fill(text)
  await generate(page).click()
  await expect.poll(() => sent(page).locator('[data-task]').count()).toBe(before + 1)
  expect(await isInView(sent(page).locator('li').first().locator('[data-state=final]'))).toBe(true)
}

describe('the fields', () => {
  it('of each model of the sandbox are its capabilities', async () => {
    const { providers } = await server.get<{
      providers: { name: string; models: { name: string; capabilities: ModelCapabilities }[] }[]
    }>(
      `{ providers { name models { name capabilities {
        qualities backgrounds moderations outputFormats styles complexities maxPartialImages sizes { auto values }
      } } } }`,
    )
    const page = await open('/studio?provider=sandbox')
    await model(page).waitFor()
    const models = providers.find(({ name }) => name === 'sandbox')?.models ?? []
    expect(models.length).toBeGreaterThan(10)
    for (const { name, capabilities: can } of models) {
      await model(page).selectOption(name)
      const { Size: sizes = [], Pictures: _, Previews: previews, ...fields } = await shownFields(page)
      expect([name, fields]).toEqual([name, expectedFields(can)])
      expect(previews !== undefined).toBe(can.maxPartialImages > 0)
      const { auto, values } = can.sizes
      expect(sizes[0] === 'Auto').toBe(auto)
      expect(sizes.at(-1) === 'Custom' ? null : sizes.length - Number(auto)).toBe(values?.length ?? null)
    }
  })

  it('mark a value that another model does not have, say so before Generate, and do not send it', async () => {
    const page = await open('/studio?provider=sandbox&model=dall-e-3')
    await page.getByText('HD', { exact: true }).click()
    await model(page).selectOption('gpt-image-2')
    await page.getByText('gpt-image-2 does not have the quality HD. It is not sent.').waitFor()
    await prompt(page).fill('a quay')
    await page.getByText('gpt-image-2 does not have the quality HD. It is left out.').waitFor()
    await send(page, 'a quay')
    expect(await newestTask('quality')).toMatchObject({ prompt: 'a quay', quality: 'AUTO' })
    await page.getByRole('button', { name: 'Use High' }).click()
    await send(page, 'a quay')
    expect(await newestTask('quality')).toMatchObject({ quality: 'HIGH' })
  })
})

describe('the cost', () => {
  it.each([
    ['tokens', 'provider=sandbox', 'a wharf'],
    ['the picture', 'provider=lab&model=dall-e-3', 'a dock'],
  ])('by %s: the largest one is what is held', async (_by, search, text) => {
    const page = await open(`/studio?${search}`)
    await prompt(page).fill(text)
    const largest = page.getByText(/^at most \$/)
    await largest.waitFor()
    const shown = await largest.getAttribute('title')
    await send(page, text)
    const { attempts } = await newestTask<{
      attempts: { ledger: { kind: string; amountMicros: number }[] }[]
    }>('attempts { ledger { kind amountMicros } }')
    const [first] = attempts[0]?.ledger ?? []
    expect(first?.kind).toBe('HOLD')
    expect(shown).toBe(`$${((first?.amountMicros ?? 0) / 1_000_000).toFixed(6)}`)
  })

  it('without a price is unknown', async () => {
    const page = await open('/studio?provider=sandbox&model=gpt-image-2.6-flare')
    await prompt(page).fill('a jetty')
    await expect.poll(() => page.getByText('price unknown').count()).toBe(1)
  })
})

it('a refused press of Generate is repeated under its key', async () => {
  const page = await open('/studio?provider=sandbox')
  const keys: string[] = []
  await page.route('**/graphql', (route) => {
    const key = /"idempotencyKey":"(\w+)"/.exec(route.request().postData() ?? '')?.[1]
    if (key === undefined || keys.push(key) > 1) return route.continue()
    const refusal = { message: 'The budget is used up.', extensions: { code: 'BUDGET_EXCEEDED' } }
    return route.fulfill({ json: { errors: [refusal] } })
  })
  await prompt(page).fill('a skiff')
  await generate(page).click()
  await page.getByText('The budget is used up.').waitFor()
  await page.getByRole('button', { name: 'Try again' }).click()
  await sent(page).locator('[data-state=final]').waitFor()
  expect(keys).toHaveLength(2)
  expect(keys[0]).toBe(keys[1])
})

describe('images', () => {
  it('are checked before the upload', async () => {
    const page = await open('/studio?provider=sandbox')
    const png = await sharp({ create: { width: 640, height: 320, channels: 3, background: '#345' } })
      .png()
      .toBuffer()
    await page.getByLabel('Image files').setInputFiles([
      { name: 'small.png', mimeType: 'image/png', buffer: png },
      { name: 'moving.gif', mimeType: 'image/gif', buffer: Buffer.from('GIF89a') },
      { name: 'broken.png', mimeType: 'image/png', buffer: Buffer.from('no image') },
    ])
    const problems = page.getByRole('alert')
    await expect.poll(() => problems.innerText()).toContain('moving.gif is image/gif. Use PNG, JPEG or WebP.')
    expect(await problems.innerText()).toContain('broken.png is damaged: it cannot be decoded.')
    await page.getByText('640 × 320').waitFor()
    await send(page, 'the same at night')
    expect(await newestTask('inputImages { width }')).toMatchObject({ inputImages: [{ width: 640 }] })
  })

  it('and a prompt that were not sent are not lost without a question', async () => {
    const page = await open('/studio')
    await prompt(page).fill('a buoy')
    await page.getByRole('link', { name: 'Live', exact: true }).click()
    const dialog = page.getByRole('dialog', { name: 'Leave what was not sent?' })
    await dialog.waitFor()
    expect(await violations(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Stay' }).click()
    expect(await prompt(page).inputValue()).toBe('a buoy')
    await page.getByRole('link', { name: 'Live', exact: true }).click()
    await dialog.getByRole('button', { name: 'Leave' }).click()
    await expect.poll(() => new URL(page.url()).pathname).toBe('/')
  })
})

async function receivedMask() {
  await newestTask('')
  const file = openai.requests.at(-1)?.files.find(({ field }) => field === 'mask')
  if (!file) throw new Error('The upstream received no mask.')
  return { bytes: file.bytes, ...(await readAlphas(file.bytes)) }
}

async function maskArea(page: Page) {
  const area = await page.getByRole('img', { name: /^Mask/ }).boundingBox()
  if (!area) throw new Error('There is no mask.')
  return area
}

async function edit(): Promise<Page> {
  const page = await open(`/studio?from=${image}&provider=paint`, {
    viewport: { width: 1280, height: 1000 },
  })
  await page.getByRole('button', { name: 'Paint a mask' }).press('Enter')
  return page
}

describe('the mask', () => {
  it('of pointer, undo, redo and invert arrives exactly, and has the same bytes by keyboard alone', async () => {
    const page = await edit()
    const drag = async (from: [number, number], to: [number, number]) => {
      const area = await maskArea(page)
      await page.mouse.move(area.x + from[0] * area.width, area.y + from[1] * area.height)
      await page.mouse.down()
      await page.mouse.move(area.x + to[0] * area.width, area.y + to[1] * area.height, { steps: 3 })
      await page.mouse.up()
    }
    const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
    await press('Ellipse')
    await drag([0.7, 0.7], [0.8, 0.8])
    await press('Undo')
    await press('Rectangle')
    await drag([0.25, 0.3], [0.65, 0.5])
    for (const name of ['Undo', 'Redo', 'Invert', 'Invert']) await press(name)
    await send(page, 'a kiosk in the middle')
    const dragged = await receivedMask()
    expect([dragged.width, dragged.height]).toEqual([1024, 1024])
    const painted = dragged.alphas.flatMap((alpha, index) => (alpha === 0 ? [index] : []))
    const xs = new Set(painted.map((index) => index % 1024))
    const ys = new Set(painted.map((index) => Math.floor(index / 1024)))
    const [x, y, width, height] = [Math.min(...xs), Math.min(...ys), xs.size, ys.size]
    // A full rectangle, as far as the pointer has whole pixels of the screen.
    expect([Math.max(...xs) - x + 1, Math.max(...ys) - y + 1, painted.length]).toEqual([
      width,
      height,
      width * height,
    ])
    expect(new Set(dragged.alphas)).toEqual(new Set([0, 255]))
    expect(
      Math.abs(x - 256) + Math.abs(y - 307) + Math.abs(width - 410) + Math.abs(height - 205),
    ).toBeLessThan(8)

    const other = await edit()
    await other.getByRole('button', { name: 'Rectangle', exact: true }).press('Enter')
    const fields = [
      ['Left edge in pixels', x],
      ['Top edge in pixels', y],
      ['Width of the shape in pixels', width],
      ['Height of the shape in pixels', height],
    ] as const
    for (const [label, value] of fields) {
      await other.getByLabel(label).press('Control+a')
      await other.keyboard.type(String(value))
    }
    await other.keyboard.press('Enter')
    await prompt(other).press('End')
    await other.keyboard.type('a kiosk in the middle')
    await generate(other).and(other.locator(':enabled')).waitFor()
    await other.keyboard.press('Control+Enter')
    await sent(other).locator('[data-state=final]').waitFor()
    expect((await receivedMask()).bytes.equals(dragged.bytes)).toBe(true)
  })

  it('of a brush has no smoothed edge, and stays when the prompt changes', async () => {
    const page = await edit()
    const area = await maskArea(page)
    await page.mouse.click(area.x + area.width / 2, area.y + area.height / 2)
    await send(page, 'a lamp')
    await send(page, 'a larger lamp')
    const { alphas } = await receivedMask()
    expect(new Set(alphas)).toEqual(new Set([0, 255]))
    const radius = Math.round(1024 * 0.08) / 2
    const count = alphas.filter((alpha) => alpha === 0).length
    expect(Math.abs(count / (Math.PI * radius * radius) - 1)).toBeLessThan(0.02)
    expect(alphas[512 * 1024 + 512]).toBe(0)
    expect(alphas[512 * 1024 + 512 + Math.ceil(radius) + 2]).toBe(255)
  })
})

it('generate, edit, edit again: the history has three nodes that open their tasks, and compare by arrow keys', async () => {
  const page = await open('/studio?provider=sandbox')
  await send(page, 'a lighthouse')
  for (const text of ['with a boat', 'in winter']) {
    await sent(page).getByRole('link', { name: 'Edit', exact: true }).first().click()
    await page.getByRole('list', { name: 'Order of the images' }).waitFor()
    await expect.poll(() => prompt(page).inputValue()).toBe('')
    await send(page, text)
  }
  await sent(page)
    .getByRole('link', { name: /in winter/ })
    .first()
    .click()
  const nodes = page.locator('[data-history]')
  await expect.poll(() => nodes.count()).toBe(3)
  expect(await page.locator('[data-history][aria-current=page]').innerText()).toContain('in winter')
  expect(await violations(page)).toEqual([])
  await nodes.filter({ hasText: 'a lighthouse' }).click()
  await page.getByRole('heading', { name: 'a lighthouse' }).waitFor()
  await expect.poll(() => nodes.count()).toBe(3)

  await page.getByRole('link', { name: 'Compare with: in winter' }).click()
  const slider = page.getByRole('slider', { name: 'Border between A and B' })
  await slider.focus()
  await page.keyboard.press('ArrowLeft')
  expect(await slider.getAttribute('aria-valuetext')).toBe('49 % of A')
  await page.getByRole('button', { name: 'Side by side' }).click()
  await expect.poll(() => page.url()).toContain('mode=side')
  const copy = await open(page.url().slice(server.url.length))
  await copy.getByRole('button', { name: 'Side by side', pressed: true }).waitFor()
  await copy.getByRole('img', { name: 'A: in winter' }).waitFor()
  await copy.getByRole('img', { name: 'B: a lighthouse' }).waitFor()
})

it('a task opens with the same settings at an address', async () => {
  const id = await server.generate({
    prompt: 'a tram',
    providers: ['sandbox'],
    quality: 'HIGH',
    size: '1536x1024',
    n: 2,
  })
  const page = await open(`/tasks/${id}`)
  await page.getByRole('link', { name: 'Same settings' }).click()
  await expect.poll(() => prompt(page).inputValue()).toBe('a tram')
  const chosen = () => page.locator('aside input:checked + span').allInnerTexts()
  await expect.poll(chosen).toEqual(expect.arrayContaining(['Wide', 'High']))
  expect(new URL(page.url()).search).toContain(`task=${id}`)
})

it('a key that may not create tasks sees what is missing, and no link to the Studio', async () => {
  await using keyed = await openGatewayWithKeys()
  const { key } = await keyed.newKey({ scopes: ['READ'] })
  const { page, codes } = await openPage(browser, `${keyed.url}/studio`, { key, refusals: true })
  await page.getByRole('heading', { name: 'This key may not create tasks' }).waitFor()
  expect(await page.getByRole('link', { name: 'Studio' }).count()).toBe(0)
  expect([...codes].includes('FORBIDDEN')).toBe(false)
  await page.context().close()
})

describe('every page', () => {
  const PAGES = [
    ['/studio', (page: Page) => page.getByRole('button', { name: 'From library' })],
    ['/studio?from=IMAGE', (page: Page) => page.getByRole('button', { name: 'Paint a mask' })],
    ['/compare?a=IMAGE', (page: Page) => page.getByRole('heading', { name: 'Compare with' })],
    ['/compare?a=IMAGE&b=OTHER', (page: Page) => page.getByRole('slider')],
    ['/compare?a=IMAGE&b=OTHER&mode=blink', (page: Page) => page.getByRole('button', { name: /^Shows A/ })],
  ] as const
  let other: string
  beforeAll(async () => {
    other = await makeImage({ prompt: 'a canal', providers: ['sandbox'] })
  })
  const pathOf = (path: string) => path.replace('IMAGE', image).replace('OTHER', other)

  it('has no violation of WCAG 2.2 AA in the light theme, with its dialogs and the mask tools', async () => {
    const page = await open('/studio', { colorScheme: 'light', reducedMotion: 'reduce' })
    for (const name of ['From library', 'Address']) {
      await page.getByRole('button', { name }).click()
      await page.getByRole('dialog').waitFor()
      expect([name, ...(await violations(page))]).toEqual([name])
      await page.keyboard.press('Escape')
    }
    for (const [path, shown] of PAGES) {
      await page.goto(server.url + pathOf(path))
      await shown(page).waitFor()
      const tools = page.getByRole('button', { name: 'Paint a mask' })
      if (await tools.isVisible()) await tools.click()
      expect([path, ...(await violations(page))]).toEqual([path])
    }
  })

  // 720 is also 1440 at a zoom of 200 %.
  it('has none in the dark theme, and fits 390 to 2560 pixels with targets of at least 24', async () => {
    const page = await open('/studio', { colorScheme: 'dark', reducedMotion: 'reduce' })
    for (const [path, shown] of PAGES) {
      await page.setViewportSize({ width: 1280, height: 900 })
      await page.goto(server.url + pathOf(path))
      await shown(page).waitFor()
      expect([path, ...(await violations(page))]).toEqual([path])
      for (const width of [390, 720, 1440, 2560]) {
        await page.setViewportSize({ width, height: 900 })
        expect([width, path, ...(await layoutProblems(page))]).toEqual([width, path])
      }
    }
  })
})
