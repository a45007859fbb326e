// Settings of formats, and tasks that were deleted.
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findModel } from '../../src/providers/models/catalogue.ts'
import { openGatewayWithKeys, type GatewayWithKeys } from '../access/gateway-with-keys.ts'
import { openAgent, textOf, type Agent, type ToolReply } from './agent.ts'
import { AGENT_SCOPES, newPrompt } from './paid-agent.ts'

const MODEL = 'gpt-image-2.6-flare'

let keyed: GatewayWithKeys
let agent: Agent
let key: string
beforeAll(async () => {
  const { capabilities } = findModel(MODEL)!
  const models = [{ name: MODEL, capabilities: { ...capabilities, markup: true } }]
  const provider = { name: 'sandbox', dialect: 'sandbox', durationMs: 0, models }
  keyed = await openGatewayWithKeys({ providers: [provider] })
  key = (await keyed.newKey({ scopes: AGENT_SCOPES })).key
  agent = await openAgent({ url: keyed.url, key })
})
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await keyed?.[Symbol.asyncDispose]()
})

const generate = (args: object) =>
  agent.call('generate_image', { prompt: newPrompt(), model: MODEL, size: '1024x1024', ...args })

interface Task {
  task_id: string
  status: string
  images: { image_id: string; mime_type: string }[]
}
const taskIn = ({ structuredContent }: ToolReply) => structuredContent as unknown as Task
const refusalIn = ({ _meta: meta }: ToolReply) => meta?.['darkroom/error']
const inlineTypes = ({ content }: ToolReply) =>
  content.filter(({ type }) => type === 'image').map(({ mimeType }) => mimeType)

async function stored(id: string): Promise<unknown> {
  const { task } = await keyed.as(key).get<{ task: unknown }>(
    `query ($id: ID!) { task(id: $id) {
      complexity animation { frames frameDurationMs } svg { model effort } markup { kind } images { frames }
    } }`,
    { id },
  )
  return task
}

describe('an agent', () => {
  it('makes a GIF with a number of frames', async () => {
    const reply = await generate({ output_format: 'gif', animation: { frames: 3, frame_duration_ms: null } })
    expect(taskIn(reply)).toMatchObject({ status: 'succeeded', images: [{ mime_type: 'image/gif' }] })
    expect(await stored(taskIn(reply).task_id)).toMatchObject({
      animation: { frames: 3, frameDurationMs: null },
      images: [{ frames: 3 }],
    })
  })

  it('makes an SVG, and sees it as pixels', async () => {
    const reply = await generate({ output_format: 'svg', svg: { model: 'author-1', effort: 'low' } })
    expect(taskIn(reply)).toMatchObject({ status: 'succeeded', images: [{ mime_type: 'image/svg+xml' }] })
    expect(inlineTypes(reply)).toEqual(['image/webp'])
    expect(await stored(taskIn(reply).task_id)).toMatchObject({ svg: { model: 'author-1', effort: 'LOW' } })
  })

  it('edits by markup, with a complexity', async () => {
    const reply = await agent.call('edit_image', {
      prompt: newPrompt(),
      model: MODEL,
      images: [await imageUrl(255)],
      markup: await imageUrl(0),
      complexity: 'high',
    })
    expect(taskIn(reply).status).toBe('succeeded')
    expect(await stored(taskIn(reply).task_id)).toMatchObject({
      complexity: 'HIGH',
      markup: { kind: 'MARKUP' },
    })
  })

  it('learns from the list of models what each makes', async () => {
    const { structuredContent } = await agent.call('list_models')
    expect(structuredContent).toMatchObject({
      models: [
        {
          output_formats: ['png', 'jpeg', 'webp', 'gif', 'svg'],
          markup: true,
          complexities: ['low', 'medium', 'high'],
          animation: { min_frames: 2, max_frames: 16, max_frame_duration_ms: 655_350 },
          svg: { models: null },
        },
      ],
    })
    const estimate = await agent.call('estimate_cost', { model: MODEL, image_count: 1, markup: true })
    expect(estimate.isError).toBeUndefined()
  })
})

async function imageUrl(alpha: number): Promise<string> {
  const background = { r: 200, g: 90, b: 20, alpha: alpha / 255 }
  const bytes = await sharp({ create: { width: 64, height: 64, channels: 4, background } })
    .png()
    .toBuffer()
  return `data:image/png;base64,${bytes.toString('base64')}`
}

describe('invalid settings', () => {
  it.each<[string, object, object, string]>([
    ['an animation of a PNG', { animation: { frames: 3 } }, { animation: { frames: 3 } }, 'animation'],
    [
      'no frames',
      { output_format: 'gif', animation: { frames: 0 } },
      { outputFormat: 'GIF', animation: { frames: 0 } },
      'animation.frames',
    ],
    [
      'a frame of eleven minutes',
      { output_format: 'gif', animation: { frame_duration_ms: 655_351 } },
      { outputFormat: 'GIF', animation: { frameDurationMs: 655_351 } },
      'animation.frame_duration_ms',
    ],
    ['an author of a PNG', { svg: { model: 'author-1' } }, { svg: { model: 'author-1' } }, 'svg'],
    [
      'an author without a name',
      { output_format: 'svg', svg: { model: '' } },
      { outputFormat: 'SVG', svg: { model: '' } },
      'svg.model',
    ],
  ])('are refused as by GraphQL: %s', async (_title, args, input, field) => {
    const prompt = newPrompt()
    const refused = await agent.call('generate_image', { prompt, model: MODEL, ...args })
    expect([refused.isError, refusalIn(refused)]).toEqual([true, { code: 'BAD_USER_INPUT', field }])
    const { errors } = await keyed
      .as(key)
      .execute('mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }', {
        input: { prompt, model: MODEL, ...input },
      })
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
    expect(textOf(refused).replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())).toContain(
      errors![0]!.message,
    )
  })

  it.each<[string, object]>([
    ['complexity', { complexity: 'extreme' }],
    ['animation', { animation: { speed: 2 } }],
    ['animation.frames', { animation: { frames: 2.5 } }],
    ['svg.model', { svg: { effort: 'low' } }],
  ])('are refused by the schema of the tool: %s', async (field, args) => {
    const refused = await generate(args)
    expect(refusalIn(refused)).toMatchObject({ code: 'BAD_USER_INPUT', field })
  })

  it('are refused: markup beside a mask, and of a task with several images', async () => {
    const image = await imageUrl(0)
    const edit = (args: object) =>
      agent.call('edit_image', { prompt: newPrompt(), model: MODEL, images: [image], ...args })
    const both = await edit({ mask: image, markup: image })
    expect(refusalIn(both)).toMatchObject({ code: 'BAD_USER_INPUT', field: 'markup' })
    const two = await generate({ n: 2 })
    const several = await edit({ markup: taskIn(two).task_id })
    expect(textOf(several)).toContain('markup is a task with several images; pass the id of one image.')
  })
})

async function deleted(args: Record<string, unknown>): Promise<string> {
  const reply = await agent.call('generate_image', args)
  const { task_id: id } = taskIn(reply)
  expect(taskIn(reply).status).toBe('succeeded')
  await keyed.as(key).get('mutation ($id: ID!) { deleteTask(input: { id: $id }) { __typename } }', { id })
  return id
}

describe('a deleted task', () => {
  it('is neither shown, listed, found nor edited', async () => {
    const prompt = newPrompt()
    const id = await deleted({ prompt, model: MODEL })
    const byId = await agent.call('get_task', { task_id: id })
    expect(refusalIn(byId)).toMatchObject({ code: 'NOT_FOUND', field: 'task_id' })
    for (const args of [{}, { search: prompt }]) {
      const listed = await agent.call('get_task', args)
      expect(JSON.stringify(listed.structuredContent)).not.toContain(id)
    }
    const edited = await agent.call('edit_image', { prompt, model: MODEL, images: [id] })
    expect(refusalIn(edited)).toMatchObject({ code: 'BAD_USER_INPUT', field: 'images.0' })
    expect(JSON.stringify(await agent.client.listResources())).not.toContain(id)
  })

  it('is not attached to: the same call makes a new task, once', async () => {
    const args = { prompt: newPrompt(), model: MODEL }
    const id = await deleted(args)
    const [again, repeated] = [
      await agent.call('generate_image', args),
      await agent.call('generate_image', args),
    ]
    expect(taskIn(again).status).toBe('succeeded')
    expect(taskIn(again).task_id).not.toBe(id)
    expect(taskIn(repeated).task_id).toBe(taskIn(again).task_id)
  })

  it('keeps its idempotency key, as in GraphQL', async () => {
    const args = { prompt: newPrompt(), model: MODEL, idempotency_key: 'of-a-deleted-task' }
    await deleted(args)
    const again = await agent.call('generate_image', args)
    expect(refusalIn(again)).toMatchObject({ code: 'CONFLICT', field: 'idempotency_key' })
  })
})
