import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { z } from 'zod'
import { EXIT, UsageError, type Arguments, type Command, type CommandContext } from './command.ts'
import { OperationRefused } from './graphql.ts'
import { print } from './output.ts'
import { KEYS_NOTE, openServer, SERVER_OPTIONS, visibleProjects, type ServerClient } from './server-client.ts'

export const open: Command = {
  name: 'open',
  summary: "Open an image in the system's viewer",
  usage: '<id of a task or image> [--print]',
  takesPositionals: true,
  options: {
    '--number <number>': 'Which image of a task (default: 1)',
    '--print': 'Print the URL, and open nothing',
    ...SERVER_OPTIONS,
  },
  notes: {
    Viewers: { 'by system': 'xdg-open on Linux, open on macOS, the default browser on Windows' },
    ...KEYS_NOTE,
  },
  examples: ['darkroom open task_01M8MB48F24Q2N5DGR9H3TXZAS', 'darkroom open img_01M8… --print'],
  run: runOpen,
}

const IMAGE = z.object({ url: z.string() })
const NODE = {
  query: 'query ($id: ID!) { node(id: $id) { ... on Image { url } ... on Task { status images { url } } } }',
  shape: z.object({
    node: z
      .object({
        url: z.string().optional(),
        status: z.string().optional(),
        images: z.array(IMAGE).optional(),
      })
      .nullable(),
  }),
}

async function runOpen(input: Arguments, context: CommandContext): Promise<number> {
  const [id, ...more] = input.positionals
  if (id === undefined || more.length > 0)
    throw new UsageError('`darkroom open` takes one ID, of a task or an image.')
  const number = readNumber(input.values['number'] ?? '1')
  await using opened = new AsyncDisposableStack()
  const client = opened.adopt(await openServer(context, input), (it) => it.close())
  const url = await imageUrl(client, id, number)
  const isOpened = !input.flags.has('print')
  if (isOpened) await openInViewer(url, context)
  print(context.out, input, { text: `${url}\n`, data: { url, opened: isOpened } })
  return EXIT.ok
}

function readNumber(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text)
  throw new UsageError(`--number is "${text}"; it must be the number of an image, from 1.`)
}

/** Throws OperationRefused without one. */
async function imageUrl(client: ServerClient, id: string, number: number): Promise<string> {
  for (const { id: projectId } of await visibleProjects(client)) {
    const { node } = await client.run({ ...NODE, variables: { id }, projectId })
    if (!node) continue
    const url = node.url ?? node.images?.[number - 1]?.url
    if (url !== undefined) return url
    const { status = '', images = [] } = node
    throw new OperationRefused(
      images.length > 0
        ? `Task ${id} has ${images.length} images; there is no number ${number}.`
        : `Task ${id} is ${status.toLowerCase()} and has no image.`,
    )
  }
  throw new OperationRefused(`There is no task or image ${id}.`, 'NOT_FOUND')
}

const VIEWERS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['open'],
  // Unlike `start`, it lets no shell read the URL.
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
}

/** Waits for the program that starts the viewer. Throws if it is missing or fails. */
async function openInViewer(url: string, { env }: CommandContext): Promise<void> {
  // The URL becomes an argument of a program.
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) throw new Error(`The server returned no URL: ${url}`)
  const [program = '', ...args] = VIEWERS[process.platform] ?? ['xdg-open']
  const child = spawn(program, [...args, url], { stdio: 'ignore', env })
  const [code] = await once(child, 'exit').catch((): [unknown] => ['missing'])
  if (code === 0) return
  const problem = code === 'missing' ? 'was not found' : `failed with exit code ${String(code)}`
  throw new Error(`The program ${program} ${problem}. The image is at ${url}`)
}
