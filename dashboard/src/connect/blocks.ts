// Programs that run as they are shown: with the address of this server, its project, and the key of the environment.
import type { Language } from './connect-search.ts'

export interface Place {
  /** Of the server, without a trailing slash. */
  url: string
  /** Shown instead of the variable. */
  key?: string | undefined
  /** Requests need no key. */
  isOpen: boolean
  /** That an operator chose. */
  project?: string | undefined
}

export interface Block {
  title: string
  text: string
  note?: string
}

/** Name of the environment variable. */
const VARIABLE = 'DARKROOM_KEY'
const PROMPT = 'a lighthouse at dusk'

export function blocksOf(language: Language, place: Place): readonly Block[] {
  if (language === 'curl') return curlBlocks(place)
  return language === 'js' ? scriptBlocks(place) : openaiBlocks(place)
}

function curlBlocks({ url, key, isOpen, project }: Place): Block[] {
  const endpoint = `'${url}/graphql'`
  const rights = [
    ...(isOpen ? [] : [`-H "authorization: Bearer ${key ?? `$${VARIABLE}`}"`]),
    ...(project === undefined ? [] : [`-H 'darkroom-project: ${project}'`]),
  ]
  const command = (options: string, parts: string[]) =>
    [`curl ${options} ${endpoint}`, ...rights, ...parts].join(' \\\n  ')
  const json = `-H 'content-type: application/json'`
  return [
    {
      title: 'Watch every task of the project',
      text: command('-sN', [
        json,
        `-H 'accept: text/event-stream'`,
        `-d '{"query":"subscription { taskFeed { __typename cursor task { id status progress } } }"}'`,
      ]),
      note: 'Leave it running in a terminal, and run the others in a second one.',
    },
    {
      title: 'Make a picture',
      text: command('-s', [
        json,
        `-d '{"query":"mutation { generateImage(input: { prompt: \\"${PROMPT}\\", partialImages: 2 }) { task { id status } } }"}'`,
      ]),
      note: 'It responds at once with the task.',
    },
    {
      title: 'Save the newest picture',
      text: `${command('-s', [
        json,
        `-d '{"query":"{ images(first: 1) { nodes { url(format: PNG) } } }"}'`,
      ])} |
  sed -E 's/.*"url":"([^"]+)".*/\\1/' | xargs curl -s -o picture.png`,
    },
    {
      title: 'Edit it',
      text: command('-s', [
        `-H 'graphql-require-preflight: 1'`,
        `-F operations='{"query":"mutation ($image: Upload!) { generateImage(input: { prompt: \\"the same at night\\", images: [{ upload: $image }] }) { task { id status } } }","variables":{"image":null}}'`,
        `-F map='{"0":["variables.image"]}'`,
        `-F 0=@picture.png`,
      ]),
      note: 'It uploads picture.png.',
    },
  ]
}

function scriptBlocks({ url, key, isOpen, project }: Place): Block[] {
  const headers = [
    ...(isOpen ? [] : [`authorization: \`Bearer \${key}\``]),
    ...(project === undefined ? [] : [`'darkroom-project': '${project}'`]),
  ]
  const rights = headers.length === 0 ? '' : `const rights = { ${headers.join(', ')} }\n`
  const spread = headers.length === 0 ? '' : '...rights, '
  return [
    { title: 'Install', text: 'npm install graphql graphql-ws', note: 'Node.js 22 or newer.' },
    {
      title: 'Make a picture and watch it develop',
      note: 'Save it as watch.mjs and run: node watch.mjs',
      text: `import { createClient } from 'graphql-ws'

const url = '${url}/graphql'
${keyLine(key, isOpen)}${rights}
const response = await fetch(url, {
  method: 'POST',
  headers: { ${spread}'content-type': 'application/json' },
  body: JSON.stringify({
    query: \`mutation ($input: GenerateImageInput!) {
      generateImage(input: $input) { task { id lastCursor } }
    }\`,
    // The same key never makes a second picture, however often the request is repeated.
    variables: { input: { prompt: '${PROMPT}', partialImages: 2, idempotencyKey: crypto.randomUUID() } },
  }),
})
const { data, errors } = await response.json()
if (errors) throw new Error(errors[0].message)
const { id, lastCursor } = data.generateImage.task

const client = createClient({
  url: url.replace(/^http/, 'ws'),${headers.length === 0 ? '' : '\n  connectionParams: rights,'}
  retryAttempts: Infinity,
  // Only a refused key is final.
  shouldRetry: ({ code }) => code !== 4403,
})
// After a lost connection, the client sends these variables again: the events go on after the last one.
const variables = { taskId: id, after: lastCursor }
const events = client.iterate({
  query: \`subscription ($taskId: ID!, $after: String) {
    taskEvents(taskId: $taskId, after: $after) {
      __typename cursor
      task { status progress costMicros images { url } }
    }
  }\`,
  variables,
})
for await (const event of events) {
  if (event.errors) throw new Error(event.errors[0].message)
  const { __typename, cursor, task } = event.data.taskEvents
  variables.after = cursor
  console.log(__typename, task.status, task.progress, task.images[0]?.url ?? '')
}
await client.dispose()`,
    },
  ]
}

function openaiBlocks({ url, key, isOpen, project }: Place): Block[] {
  const headers = project === undefined ? '' : `\n  defaultHeaders: { 'darkroom-project': '${project}' },`
  const apiKey = isOpen ? `'no key is needed'` : key === undefined ? `process.env.${VARIABLE}` : `'${key}'`
  const client = `const openai = new OpenAI({
  baseURL: '${url}/v1',
  apiKey: ${apiKey},${headers}
})`
  return [
    { title: 'Install', text: 'npm install openai' },
    {
      title: 'Make a picture',
      note: 'Save it as picture.mjs and run: node picture.mjs',
      text: `import { writeFile } from 'node:fs/promises'
import OpenAI from 'openai'

${client}
const { data } = await openai.images.generate({ model: 'gpt-image-2', prompt: '${PROMPT}' })
await writeFile('picture.png', Buffer.from(data[0].b64_json, 'base64'))
console.log('picture.png')`,
    },
    {
      title: 'Edit it, and watch it develop',
      note: 'Save it as edit.mjs and run: node edit.mjs',
      text: `import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import OpenAI, { toFile } from 'openai'

${client}
const events = await openai.images.edit({
  model: 'gpt-image-2',
  prompt: 'the same at night',
  image: await toFile(createReadStream('picture.png'), 'picture.png', { type: 'image/png' }),
  stream: true,
  partial_images: 2,
})
for await (const { type, b64_json } of events) {
  console.log(type)
  if (type === 'image_edit.completed') await writeFile('night.png', Buffer.from(b64_json, 'base64'))
}`,
    },
  ]
}

function keyLine(key: string | undefined, isOpen: boolean): string {
  if (isOpen) return ''
  return `const key = ${key === undefined ? `process.env.${VARIABLE}` : `'${key}'`}\n`
}
