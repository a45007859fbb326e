import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { noisyPng } from '../support/uploads.ts'
import { textOf, type Agent, type ToolReply } from './agent.ts'
import { newPrompt, openPaidAgents, type PaidAgents } from './paid-agent.ts'

const CHEAP = { size: '1024x1024', quality: 'low' }

let paid: PaidAgents
let agent: Agent & { keyId: string }
beforeAll(async () => {
  paid = await openPaidAgents()
  agent = await paid.newAgent()
})
afterAll(() => paid?.[Symbol.asyncDispose]())

interface Task {
  task_id: string
  status: string
  operation: string
  images: { image_id: string; url: string; resource: string }[]
  cost: { text: string; micros: number | null }
  next_step: string | null
}
const taskIn = ({ structuredContent }: ToolReply) => structuredContent as unknown as Task
const imageIn = (reply: ToolReply) => taskIn(reply).images[0]!

/** How many paid calls `work` causes. */
async function chargesOf(work: () => Promise<unknown>): Promise<number> {
  const before = paid.upstream.ledger.length
  await work()
  return paid.upstream.ledger.length - before
}

describe('the list of tools', () => {
  it('says what each is for, what it changes, and what it takes and returns', async () => {
    const { tools } = await agent.client.listTools()
    const hints = tools.map(({ name, annotations }) => [name, annotations?.readOnlyHint])
    expect(Object.fromEntries(hints)).toEqual({
      generate_image: false,
      edit_image: false,
      get_task: true,
      list_models: true,
      estimate_cost: true,
      get_usage: true,
    })
    for (const { description, inputSchema, outputSchema, annotations } of tools) {
      expect(description?.length).toBeGreaterThan(60)
      expect(annotations?.title).toBeTruthy()
      expect(inputSchema).toMatchObject({ type: 'object', additionalProperties: false })
      expect(outputSchema).toMatchObject({ type: 'object' })
    }
    // Hosts put it into the context of every conversation.
    const seen = tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }))
    expect(JSON.stringify(seen).length).toBeLessThan(12_000)
    expect(agent.client.getInstructions()).toContain('variant')
  })
})

describe('an agent', () => {
  it('makes an image, edits it and finds it again', async () => {
    const prompt = newPrompt()
    const made = await agent.call('generate_image', { prompt, ...CHEAP })
    expect(made.isError).toBeUndefined()
    expect(taskIn(made)).toMatchObject({ status: 'succeeded', cost: { text: '$0.005985', micros: 5985 } })
    const { image_id: id, url, resource } = imageIn(made)
    for (const shown of [taskIn(made).task_id, id, url, 'Cost: $0.005985.'])
      expect(textOf(made)).toContain(shown)
    const file = Buffer.from(await (await fetch(url)).arrayBuffer())
    expect(paid.upstream.imageBytes.some((bytes) => bytes.equals(file))).toBe(true)
    const inline = made.content.find(({ type }) => type === 'image')!
    expect(await sharp(Buffer.from(inline.data!, 'base64')).metadata()).toMatchObject({ width: 1024 })

    const edited = await agent.call('edit_image', { prompt: 'make it blue', images: [id], ...CHEAP })
    expect(taskIn(edited)).toMatchObject({ status: 'succeeded', operation: 'edit' })
    expect(paid.upstream.requests.at(-1)!.files).toHaveLength(1)
    const again = await agent.call('edit_image', {
      prompt: 'make it green',
      images: [taskIn(edited).task_id, resource],
      ...CHEAP,
    })
    expect(again.isError).toBeUndefined()
    expect(paid.upstream.requests.at(-1)!.files).toHaveLength(2)

    const found = await agent.call('get_task', { search: prompt })
    expect(found.structuredContent).toMatchObject({ tasks: [{ task_id: taskIn(made).task_id }] })
    const byId = await agent.call('get_task', { task_id: taskIn(edited).task_id })
    expect(byId.content.filter(({ type }) => type === 'image')).toHaveLength(1)
    const { resources } = await agent.client.listResources()
    expect(resources).toContainEqual(
      expect.objectContaining({ uri: resource, title: prompt, size: file.length }),
    )
    const { contents } = await agent.client.readResource({ uri: resource })
    expect(contents).toEqual([{ uri: resource, mimeType: 'image/png', blob: file.toString('base64') }])
  })

  it('learns models and costs in dollars before it pays', async () => {
    const charges = await chargesOf(async () => {
      const models = textOf(await agent.call('list_models', { operation: 'edit' }))
      expect(models).toMatch(
        /^gpt-image-2 at paid: generate and edit; sizes auto, or .+ usually \$0\.05\d+ per image$/m,
      )
      const estimate = await agent.call('estimate_cost', { ...CHEAP, n: 2 })
      expect(textOf(estimate)).toMatch(/^gpt-image-2 at paid: about \$0\.0\d+, at most \$0\.\d+\.$/)
    })
    expect(charges).toBe(0)
  })

  it('is stopped by the budget of its key with what is left, and continues after it was raised', async () => {
    const spender = await paid.newAgent()
    const prompt = newPrompt()
    const { expected, maximum } = await costsOf(spender, prompt)
    // Three fit: the maximum of the third is held while two are spent.
    const limitMicros = 2 * expected + maximum
    await setBudget(spender.keyId, limitMicros)
    const replies: ToolReply[] = []
    const charges = await chargesOf(async () => {
      for (let variant = 1; !replies.at(-1)?.isError; variant++)
        replies.push(await spender.call('generate_image', { prompt, ...CHEAP, variant }))
    })
    expect([replies.length, charges]).toEqual([4, 3])
    expect(textOf(replies.at(-1)!)).toMatch(
      /^BUDGET_EXCEEDED: The attempt may cost \$[\d.]+, but \$[\d.]+ is left of the API key's budget of \$[\d.]+ in total\. .+ have the budget raised\. Nothing was charged\. .+ get_usage/,
    )
    expect(replies.at(-1)).toMatchObject({ _meta: { 'darkroom/error': { code: 'BUDGET_EXCEEDED' } } })
    const usage = await spender.call('get_usage', { group_by: ['model'] })
    const left = dollars(limitMicros - 3 * expected)
    expect(textOf(usage)).toContain(
      `Budget of the api key (total): ${left} of ${dollars(limitMicros)} is left.`,
    )
    // A repeated call costs nothing, so no budget stops it.
    expect(taskIn(await spender.call('generate_image', { prompt, ...CHEAP }))).toEqual(taskIn(replies[0]!))
    await setBudget(spender.keyId, limitMicros + maximum)
    const next = await spender.call('generate_image', { prompt, ...CHEAP, variant: 4 })
    expect(next.isError).toBeUndefined()
  })
})

describe('an agent loop', () => {
  it('makes, edits and finds images until its budget stops it', async () => {
    const worker = await paid.newAgent()
    const subject = newPrompt()
    const limitMicros = 100_000
    await setBudget(worker.keyId, limitMicros)
    const { made, stop } = await workUntilStopped(worker, subject)
    expect(made.length).toBeGreaterThanOrEqual(3)
    expect(made.map(({ operation }) => operation)).toEqual(
      made.map((_, index) => (index % 2 === 0 ? 'generate' : 'edit')),
    )
    expect(made.reduce((sum, { cost }) => sum + cost.micros!, 0)).toBeLessThanOrEqual(limitMicros)
    expect(textOf(stop)).toMatch(
      /^BUDGET_EXCEEDED: .+ is left of the API key's budget of \$0\.10 in total\. .+ Nothing was charged\. /,
    )
    expect(stop).toMatchObject({ _meta: { 'darkroom/error': { code: 'BUDGET_EXCEEDED' } } })
    // Finding is free.
    expect(await findIds(worker, subject)).toEqual(made.map(({ task_id: id }) => id).toReversed())
  })
})

/** Makes an image, edits it and finds both, and so on, up to the first error. */
async function workUntilStopped(worker: Agent, subject: string): Promise<{ made: Task[]; stop: ToolReply }> {
  const made: Task[] = []
  for (;;) {
    const before = paid.upstream.ledger.length
    const last = made.at(-1)
    const reply =
      last?.operation === 'generate'
        ? await worker.call('edit_image', {
            prompt: `${subject} at night`,
            images: [last.images[0]!.image_id],
            ...CHEAP,
          })
        : await worker.call('generate_image', { prompt: subject, variant: made.length + 1, ...CHEAP })
    expect(paid.upstream.ledger.length - before).toBe(reply.isError ? 0 : 1)
    if (reply.isError) return { made, stop: reply }
    made.push(taskIn(reply))
    expect((await findIds(worker, subject))[0]).toBe(taskIn(reply).task_id)
  }
}

async function findIds(worker: Agent, search: string): Promise<string[]> {
  const { structuredContent } = await worker.call('get_task', { search })
  return (structuredContent as { tasks: Task[] }).tasks.map(({ task_id: id }) => id)
}

const dollars = (micros: number) => `$${(micros / 1e6).toFixed(6).replace(/0+$/, '')}`

async function costsOf(of: Agent, prompt: string): Promise<{ expected: number; maximum: number }> {
  const { structuredContent } = await of.call('estimate_cost', { prompt, ...CHEAP })
  const [offer] = (structuredContent as { offers: { maximum: { micros: number } }[] }).offers
  // What the fake provider charges for an image.
  return { expected: 5985, maximum: offer!.maximum.micros }
}

const setBudget = (owner: string, limitMicros: number) =>
  paid.keyed
    .operator()
    .get('mutation ($input: SetBudgetInput!) { setBudget(input: $input) { budget { period } } }', {
      input: { owner, period: 'TOTAL', limitMicros },
    })

describe('a repeated call', () => {
  it('is the same task, in any order of arguments, and is charged once', async () => {
    const prompt = newPrompt()
    const replies: ToolReply[] = []
    const charges = await chargesOf(async () => {
      for (const args of [
        { prompt, ...CHEAP },
        { quality: 'low', size: '1024x1024', prompt },
        { prompt, ...CHEAP, n: 1, background: null, wait_seconds: 1 },
      ])
        replies.push(await agent.call('generate_image', args))
    })
    expect(charges).toBe(1)
    expect(new Set(replies.map((reply) => taskIn(reply).task_id)).size).toBe(1)
    expect(textOf(replies[0]!)).not.toContain('earlier call')
    expect(textOf(replies[1]!)).toContain('earlier call with the same arguments; nothing more was charged')
  })

  it('is charged once when 200 arrive together', async () => {
    const prompt = newPrompt()
    const charges = await chargesOf(async () => {
      const replies = await Promise.all(
        Array.from({ length: 200 }, () => agent.call('generate_image', { prompt, ...CHEAP })),
      )
      expect(new Set(replies.map((reply) => taskIn(reply).task_id)).size).toBe(1)
    })
    expect(charges).toBe(1)
  })

  it('with a new variant, or with another key, is a new image', async () => {
    const args = { prompt: newPrompt(), ...CHEAP }
    const other = await paid.newAgent()
    const charges = await chargesOf(async () => {
      await agent.call('generate_image', args)
      await agent.call('generate_image', { ...args, variant: 2 })
      await agent.call('generate_image', { ...args, variant: 2 })
      await other.call('generate_image', args)
    })
    expect(charges).toBe(3)
  })

  it('is sent again if the first one failed without a charge, and not if it may have been charged', async () => {
    const args = { prompt: newPrompt(), ...CHEAP }
    const error = {
      message: 'Try others.',
      type: 'invalid_request_error',
      code: 'invalid_value',
      param: null,
    }
    paid.upstream.script({ status: 400, body: { error } })
    const refused = await agent.call('generate_image', args)
    expect(refused.isError).toBe(true)
    expect(textOf(refused)).toMatch(/failed[^]+PROVIDER_REJECTED[^]+make the same call again/)
    expect((await agent.call('generate_image', args)).isError).toBeUndefined()

    const lost = { prompt: newPrompt(), ...CHEAP }
    paid.upstream.script('reset-after-request')
    const charges = await chargesOf(async () => {
      const first = await agent.call('generate_image', lost)
      const second = await agent.call('generate_image', lost)
      expect(textOf(first)).toMatch(/outcome_unknown[^]+an operator reviews it/)
      expect(taskIn(second).task_id).toBe(taskIn(first).task_id)
      expect([first.isError, second.isError]).toEqual([true, true])
    })
    expect(charges).toBe(1)
  })

  it('can have a key of its own, which GraphQL knows', async () => {
    const prompt = newPrompt()
    const first = await agent.call('generate_image', { prompt, ...CHEAP, idempotency_key: 'mine-1' })
    const second = await agent.call('generate_image', {
      prompt: newPrompt(),
      ...CHEAP,
      idempotency_key: 'mine-1',
    })
    expect(textOf(second)).toMatch(/^IDEMPOTENCY_KEY_REUSED: /)
    const { task } = await paid.keyed
      .operator()
      .get<{ task: object }>('query ($id: ID!) { task(id: $id) { idempotencyKey prompt charged } }', {
        id: taskIn(first).task_id,
      })
    expect(task).toEqual({ idempotencyKey: 'mine-1', prompt, charged: 'YES' })
  })
})

describe('a large result', () => {
  it('is shown as a small rendition, with the address of the full file', async () => {
    const png = await noisyPng(3_000_000)
    const usage = {
      total_tokens: 217,
      input_tokens: 21,
      output_tokens: 196,
      input_tokens_details: { text_tokens: 21, image_tokens: 0 },
    }
    const data = [{ b64_json: png.toString('base64') }]
    paid.upstream.script({
      status: 200,
      body: { created: 1, size: '1024x1024', quality: 'low', data, usage },
    })
    const reply = await agent.call('generate_image', { prompt: newPrompt(), ...CHEAP })
    expect(reply.isError).toBeUndefined()
    const { data: base64 = '', mimeType } = reply.content.find(({ type }) => type === 'image')!
    const shown = Buffer.from(base64, 'base64')
    expect([mimeType, shown.length <= 200_000]).toEqual(['image/webp', true])
    const full = Buffer.from(await (await fetch(imageIn(reply).url)).arrayBuffer())
    expect(full.equals(png)).toBe(true)
  })
})
