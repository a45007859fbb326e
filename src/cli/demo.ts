// One picture from prompt to file and bill, the way any client would do it: a mutation, a subscription, a query.
import { randomUUID } from 'node:crypto'
import { relative } from 'node:path'
import process from 'node:process'
import { systemClock } from '../clock.ts'
import type { TaskStatus } from '../domain.ts'
import { formatBytes } from '../quantity.ts'
import type { Arguments, Command, Surroundings } from './command.ts'
import { bill } from './demo/summary.ts'
import { createDemoClient, graphqlUrl, type DemoClient } from './demo/client.ts'
import { GENERATE_IMAGE, TASK } from './demo/operations.ts'
import { ending } from './demo/ending.ts'
import { saveImage, slug } from './demo/files.ts'
import { formatMs } from './format.ts'
import { GENERATED, TASK_REPLY, type TaskEvent, type TaskResult } from './demo/replies.ts'
import { startServer } from './demo/server.ts'
import { readSettings, type DemoSettings } from './demo/options.ts'
import { openView } from './demo/view2.ts'
import type { View } from './demo/view.ts'
import { EXIT } from './exit.ts'
import { watchSignals } from './signals.ts'

/** `darkroom demo`. */
export const demo: Command = {
  name: 'demo',
  summary: 'Watch one picture develop, from prompt to file and bill',
  usage: '[prompt] [options]',
  takesWords: true,
  options: [
    {
      name: 'url',
      value: '<url>',
      about: 'ask a running server; without it, one is started for this picture',
    },
    { name: 'out', value: '<dir>', about: 'where the pictures go; ./out by default' },
    { name: 'size', value: '<size>', about: 'auto, or 1024x1536 for example' },
    { name: 'quality', value: '<word>', about: 'auto, low, medium, high, …' },
    { name: 'format', value: '<word>', about: 'png, jpeg or webp' },
    { name: 'n', value: '<number>', about: 'how many pictures, 1 to 10' },
    { name: 'partials', value: '<number>', about: 'how many previews to ask for, 0 to 3; 3 by default' },
    { name: 'model', value: '<name>', about: 'gpt-image-2 by default' },
    {
      name: 'provider',
      value: '<names>',
      about: 'allowed providers, by preference, with commas between them',
    },
  ],
  notes: [
    {
      title: 'Environment',
      lines: [['DARKROOM_API_KEY', 'with --url: a key of that server, where one is needed']],
    },
    {
      title: 'Costs',
      lines: [
        ['nothing', 'by default: the sandbox paints the picture in this process'],
        ['real money', 'when a real provider is configured, with OPENAI_API_KEY for example'],
      ],
    },
  ],
  examples: [
    'darkroom demo',
    'darkroom demo "a lighthouse at dusk" --size 1536x1024 --quality high',
    'darkroom demo --url http://127.0.0.1:4000',
  ],
  run: runDemo,
}

/** Everything one telling of the story needs. */
interface Demo {
  settings: DemoSettings
  client: DemoClient
  view: View
  around: Surroundings
}

const LETTING_GO_MS = 1_000

async function runDemo(input: Arguments, around: Surroundings): Promise<number> {
  const settings = readSettings(input, around.cwd)
  // Whatever happens, all that was opened is closed, the newest first.
  await using opened = new AsyncDisposableStack()
  const signals = opened.adopt(watchSignals(), (it) => it.close())
  void signals.second.then(() => process.exit(EXIT.interrupted))
  const server = settings.url === null ? await startServer(around) : undefined
  opened.defer(() => server?.stop(LETTING_GO_MS))
  const url = server?.url ?? settings.url ?? ''
  const client = opened.adopt(
    createDemoClient(url, server ? undefined : around.env['DARKROOM_API_KEY']),
    (it) => it.close(),
  )
  const view = opened.adopt(openView(around.out), (it) => it.close())
  view.say(header({ url, providers: server?.providers }, settings, around))
  return await Promise.race([
    tell({ settings, client, view, around }),
    signals.first.then(() => interrupt(around)),
  ])
}

function interrupt({ err }: Surroundings): number {
  err.write('\nInterrupted. What was sent already may still be charged.\n')
  return EXIT.interrupted
}

function header(
  server: { url: string; providers: readonly string[] | undefined },
  { input }: DemoSettings,
  { out: { paint } }: Surroundings,
): string {
  const kind = server.providers
    ? `started for this picture on ${server.providers.join(', ')}`
    : 'running already'
  return `\n  ${paint('bold', input.prompt)}\n  ${paint('dim', `${graphqlUrl(server.url)}, ${kind}`)}\n`
}

/** Asks, watches, fetches; resolves to the exit code. */
async function tell(story: Demo): Promise<number> {
  const { settings, client, view, around } = story
  const { paint } = around.out
  const askedAt = systemClock.now()
  const { generateImage: accepted } = await client.ask({
    query: GENERATE_IMAGE,
    variables: { input: { ...settings.input, idempotencyKey: `demo-${randomUUID()}` } },
    shape: GENERATED,
  })
  const acceptedMs = systemClock.now() - askedAt
  view.say(`  ${accepted.id}  ${paint('dim', `accepted in ${formatMs(acceptedMs)}`)}`)

  for await (const event of client.watch(accepted.id)) {
    await show(event, story)
    // Such a task stays open until someone resolves it, and so does its stream.
    if (statusOf(event) === 'OUTCOME_UNKNOWN') break
  }

  const { task } = await client.ask({ query: TASK, variables: { id: accepted.id }, shape: TASK_REPLY })
  view.moved({ ...task, progress: task.status === 'SUCCEEDED' ? 1 : 0, queuePosition: null })
  const saved = await saveAll(task, story)
  await view.close()
  const { lines, exitCode } = ending(task, paint)
  around.out.write(
    [
      ...saved,
      '',
      ...lines,
      ...(lines.length > 0 ? [''] : []),
      ...bill(task, acceptedMs, paint),
      '',
      '',
    ].join('\n'),
  )
  return exitCode
}

async function show(event: TaskEvent, { settings, client, view, around }: Demo): Promise<void> {
  view.moved({ ...event.task, status: statusOf(event) })
  if (!event.partialImage) return
  const { index, image } = event.partialImage
  const bytes = await client.download(image.url)
  const path = await saveImage(settings.outDir, `${slug(settings.input.prompt)}-partial-${index + 1}`, bytes)
  const facts = `${image.width}×${image.height}, ${formatBytes(bytes.length)}`
  view.say(`  ${relative(around.cwd, path)}  ${around.out.paint('dim', facts)}`)
  await view.picture(bytes, safelightFor(index, settings.input.partialImages))
}

function statusOf({ status, task }: TaskEvent): TaskStatus {
  return status ?? task.status
}

/** The red of the darkroom pales from one preview to the next; only the finished picture sees daylight. */
function safelightFor(index: number, partialImages: number): number {
  return 0.9 - (0.6 * Math.min(index, partialImages)) / Math.max(partialImages, 1)
}

/** Saves the finished pictures and shows the first one; resolves to a line for each. */
async function saveAll({ images }: TaskResult, { settings, client, view, around }: Demo): Promise<string[]> {
  const name = slug(settings.input.prompt)
  const lines: string[] = []
  for (const [index, image] of images.entries()) {
    const bytes = await client.download(image.url)
    const path = await saveImage(settings.outDir, images.length === 1 ? name : `${name}-${index + 1}`, bytes)
    if (index === 0) await view.picture(bytes, 0)
    const facts = `${image.width}×${image.height}, ${formatBytes(bytes.length)}`
    lines.push(
      `  ${around.out.paint('green', relative(around.cwd, path))}  ${around.out.paint('dim', facts)}`,
    )
    if (image.revisedPrompt)
      lines.push(`    ${around.out.paint('dim', `painted as: ${image.revisedPrompt}`)}`)
  }
  return lines
}
