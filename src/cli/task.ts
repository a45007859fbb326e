import type { Arguments, Command, CommandContext } from './command.ts'
import { EXIT, UsageError } from './command.ts'
import { print } from './output.ts'
import { KEYS_NOTE, openServer, SERVER_OPTIONS, type ServerClient } from './server-client.ts'
import { untilInterrupted, watchSignals } from './signals.ts'
import { findTask, type FoundTask } from './tasks/find.ts'
import { taskPage } from './tasks/page.ts'
import { previewUrl } from './tasks/preview.ts'
import { showProgress, watchEvents } from './tasks/watch.ts'
import { inlineImage } from './terminal/inline-image.ts'
import { chooseProtocol, IMAGES_OPTION, type ImageProtocol } from './terminal/protocol.ts'

export const task: Command = {
  name: 'task',
  summary: 'Show a task, or watch it until it ends',
  usage: '<id> [--watch]',
  takesPositionals: true,
  options: {
    '--watch': 'Show progress and partial images until the end; resumes after a disconnect',
    ...IMAGES_OPTION,
    ...SERVER_OPTIONS,
  },
  notes: {
    '--watch': {
      estimate: 'The median duration of similar tasks that succeeded, as measured',
      '--json': 'One line of JSON per event, then one with the task',
      'exit code': '0 if the task succeeded, else 1',
    },
    ...KEYS_NOTE,
  },
  examples: [
    'darkroom task task_01M8MB48F24Q2N5DGR9H3TXZAS',
    'darkroom task task_01M8MB48F24Q2N5DGR9H3TXZAS --watch',
  ],
  run: runTask,
}

/** In rows, beside the page. */
const IMAGE_ROWS = 24

async function runTask(input: Arguments, context: CommandContext): Promise<number> {
  const [id, ...more] = input.positionals
  if (id === undefined || more.length > 0) throw new UsageError('`darkroom task` takes one ID of a task.')
  const protocol = chooseProtocol(input.values['images'], context.env, context.out)
  await using opened = new AsyncDisposableStack()
  const signals = opened.adopt(watchSignals(), (it) => it.close())
  const client = opened.adopt(await openServer(context, input), (it) => it.close())
  const found = await findTask(client, id)
  if (!input.flags.has('watch')) {
    print(context.out, input, { text: taskPage(found.task, context.out.paint), data: { task: found.task } })
    if (!input.flags.has('json')) await showImage(client, found, { context, protocol })
    return EXIT.ok
  }
  const watching = input.flags.has('json')
    ? writeEvents(client, found, context)
    : watch(client, found, { context, protocol })
  return await untilInterrupted(signals, context.err, watching, 'Stopped watching. The task continues.')
}

async function watch(
  client: ServerClient,
  found: FoundTask,
  { context: { out }, protocol }: { context: CommandContext; protocol: ImageProtocol },
): Promise<number> {
  out.write('\n')
  await showProgress(client, found, { out, protocol })
  const { task: ended } = await findTask(client, found.task.id)
  out.write(taskPage(ended, out.paint))
  return exitCodeOf(ended)
}

async function writeEvents(
  client: ServerClient,
  found: FoundTask,
  { out, err }: CommandContext,
): Promise<number> {
  const line = (value: unknown) => out.write(`${JSON.stringify(value)}\n`)
  for await (const event of watchEvents(client, found, () => err.write('Connection lost; reconnecting.\n')))
    line({ event })
  const { task: ended } = await findTask(client, found.task.id)
  line({ task: ended })
  return exitCodeOf(ended)
}

function exitCodeOf({ status }: FoundTask['task']): number {
  return status === 'SUCCEEDED' ? EXIT.ok : EXIT.failed
}

async function showImage(
  client: ServerClient,
  { task: { id }, projectId }: FoundTask,
  { context: { out }, protocol }: { context: CommandContext; protocol: ImageProtocol },
): Promise<void> {
  if (protocol === 'none') return
  const url = await previewUrl(client, id, projectId)
  if (url === undefined) return
  const space = { columns: out.size().columns - 2, rows: Math.min(IMAGE_ROWS, out.size().rows - 4) }
  const image = await inlineImage(await client.download(url), protocol, space)
  if (image !== undefined) out.write(`${image}\n`)
}
