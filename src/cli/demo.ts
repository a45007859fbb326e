import { randomUUID } from 'node:crypto'
import { relative } from 'node:path'
import { systemClock } from '../clock.ts'
import type { TaskStatus } from '../domain.ts'
import { formatBytes } from '../quantity.ts'
import type { Arguments, Command, CommandContext } from './command.ts'
import { createDemoClient, type DemoClient } from './demo/client.ts'
import { fileName, saveImage } from './demo/files.ts'
import { createLiveView } from './terminal/live-view.ts'
import { GENERATE_IMAGE, TASK, type DemoEvent, type TaskResult } from './demo/operations.ts'
import { readOptions, type DemoOptions } from './demo/options.ts'
import { startServer } from './demo/server.ts'
import { conclusion, summary } from './demo/summary.ts'
import { detectProtocol } from './terminal/protocol.ts'
import { createPlainView, type View } from './terminal/view.ts'
import { formatMs, wrap } from './format.ts'
import { JSON_OPTION, jsonText } from './output.ts'
import { silent, type Screen } from './screen.ts'
import { graphqlUrl, keyOf } from './server-client.ts'
import { untilInterrupted, watchSignals } from './signals.ts'

export const demo: Command = {
  name: 'demo',
  summary: 'Generate an image, and show its progress, result and cost',
  usage: '[prompt] [options]',
  takesPositionals: true,
  options: {
    '--url <url>': 'URL of a running server (default: start one for this demo)',
    '--out <dir>': 'Folder for the images (default: ./out)',
    '--size <size>': 'auto, or a size such as 1024x1536 (default: auto)',
    '--quality <word>': 'auto, low, medium, high, … (default: auto)',
    '--format <word>': 'png, jpeg or webp (default: png)',
    '--n <number>': 'Number of images, 1 to 10 (default: 1)',
    '--partials <number>': 'Number of partial images, 0 to 3 (default: 3)',
    '--model <name>': 'Model (default: gpt-image-2)',
    '--provider <names>': 'Allowed providers in order of preference (default: all)',
    ...JSON_OPTION,
  },
  notes: {
    Environment: {
      DARKROOM_API_KEY: 'With --url: API key of that server, if it requires one',
      DARKROOM_ADMIN_KEY: 'With --url: operator key, used without an API key',
    },
    Cost: {
      free: 'By default: the sandbox provider generates the image in this process',
      'real money': 'If another provider is configured, with OPENAI_API_KEY for example',
    },
  },
  examples: [
    'darkroom demo',
    'darkroom demo "a lighthouse at dusk" --size 1536x1024 --quality high',
    'darkroom demo --url http://127.0.0.1:4000',
  ],
  run: runDemo,
}

interface Demo {
  options: DemoOptions
  client: DemoClient
  view: View
  out: Screen
  cwd: string
}

async function runDemo(input: Arguments, context: CommandContext): Promise<number> {
  const options = readOptions(input, context.cwd)
  await using opened = new AsyncDisposableStack()
  const signals = opened.adopt(watchSignals(), (it) => it.close())
  const server = options.url === null ? await startServer(context, opened) : undefined
  const url = server?.url ?? options.url ?? ''
  const apiKey = server ? undefined : keyOf(context.env)
  const client = opened.adopt(createDemoClient(url, apiKey), (it) => it.close())
  const { err } = context
  const out = input.flags.has('json') ? silent(context.out) : context.out
  const view = opened.adopt(
    out.isTerminal
      ? createLiveView(out, systemClock, { protocol: detectProtocol(context.env, out) })
      : createPlainView(out),
    (it) => it.close(),
  )
  const origin = server ? `, started for this demo with ${server.providers.join(', ')}` : ''
  view.print(
    `\n  ${out.paint('bold', options.input.prompt)}\n  ${out.paint('dim', `${graphqlUrl(url)}${origin}`)}\n`,
  )
  return await untilInterrupted(
    signals,
    err,
    generate({ options, client, view, out, cwd: context.cwd }).then(({ exitCode, ...data }) => {
      if (input.flags.has('json')) context.out.write(jsonText(data))
      return exitCode
    }),
  )
}

async function generate(
  demoRun: Demo,
): Promise<{ exitCode: number; task: TaskResult & { id: string }; files: string[] }> {
  const { options, client, view, out } = demoRun
  const startedAt = systemClock.now()
  const input = { ...options.input, idempotencyKey: `demo-${randomUUID()}` }
  const { generateImage } = await client.run({ ...GENERATE_IMAGE, variables: { input } })
  const accepted = generateImage.task
  const acceptedMs = systemClock.now() - startedAt
  view.print(`  ${accepted.id}  ${out.paint('dim', `accepted in ${formatMs(acceptedMs)}`)}`)

  for await (const event of client.watch(accepted.id)) {
    await show(event, demoRun)
    // Its stream stays open until an operator resolves it.
    if (statusOf(event) === 'OUTCOME_UNKNOWN') break
  }

  const { task } = await client.run({ ...TASK, variables: { id: accepted.id } })
  view.update({ ...task, progress: task.status === 'SUCCEEDED' ? 1 : 0, queuePosition: null })
  const { lines: images, files } = await saveImages(task, demoRun)
  await view.close()
  const { lines, exitCode } = conclusion(task, out.paint)
  const blocks = [images, lines, summary(task, acceptedMs, out.paint)].filter((block) => block.length > 0)
  out.write(`${images.length === 0 ? '\n' : ''}${blocks.map((block) => block.join('\n')).join('\n\n')}\n\n`)
  return { exitCode, task: { id: accepted.id, ...task }, files }
}

async function show(event: DemoEvent, demoRun: Demo): Promise<void> {
  const { options, view } = demoRun
  view.update({ ...event.task, status: statusOf(event) })
  if (!event.partialImage) return
  const { index, image } = event.partialImage
  const { prompt, partialImages } = options.input
  const { bytes, path, facts } = await save(image, `${fileName(prompt)}-partial-${index + 1}`, demoRun)
  view.print(`  ${path}  ${facts}`)
  // Each partial image is less red.
  await view.showImage(bytes, 0.9 - (0.6 * Math.min(index, partialImages)) / Math.max(partialImages, 1))
}

function statusOf({ status, task }: DemoEvent): TaskStatus {
  return status ?? task.status
}

/** Saves the images, shows the first and resolves to the lines to print. */
async function saveImages(
  { images }: TaskResult,
  demoRun: Demo,
): Promise<{ lines: string[]; files: string[] }> {
  const { paint } = demoRun.out
  const name = fileName(demoRun.options.input.prompt)
  const lines: string[] = []
  const files: string[] = []
  for (const [index, image] of images.entries()) {
    const isOnly = images.length === 1
    const { bytes, path, facts } = await save(image, isOnly ? name : `${name}-${index + 1}`, demoRun)
    if (index === 0) await demoRun.view.showImage(bytes, 0)
    files.push(path)
    lines.push(`  ${paint('green', path)}  ${facts}`)
    const prompt = image.revisedPrompt ? wrap(`Revised prompt: ${image.revisedPrompt}`, 92) : []
    lines.push(...prompt.map((line) => `    ${paint('dim', line)}`))
  }
  return { lines, files }
}

async function save(
  { url, width, height }: { url: string; width: number; height: number },
  name: string,
  { options, client, cwd, out }: Demo,
): Promise<{ bytes: Uint8Array; path: string; facts: string }> {
  const bytes = await client.download(url)
  const path = relative(cwd, await saveImage(options.outDir, name, bytes))
  return { bytes, path, facts: out.paint('dim', `${width}×${height}, ${formatBytes(bytes.length)}`) }
}
