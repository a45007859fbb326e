// Executes the blocks of docs/rest.md whose clients are on npm, its curl command, and the block of README.md for OpenAI's package.
import { rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CLIENTS_FOLDER, installClients } from './support/client-packages.ts'
import { openGateway, type TestGateway } from './support/gateway.ts'
import { run } from './support/npm.ts'
import { readBlocks, readCurl } from './story/page.ts'

const SHOWN_URL = 'http://127.0.0.1:4000'
const BLOCKS = readBlocks(readFileSync('docs/rest.md', 'utf8'))
const scripts = BLOCKS.filter(({ language }) => language === 'js')

let server: TestGateway
beforeAll(async () => {
  ;[server] = await Promise.all([openGateway(), installClients()])
})
afterAll(() => server[Symbol.asyncDispose]())

/** Headers take ASCII only. */
const translated = (text: string) =>
  text.replaceAll(SHOWN_URL, server.url).replaceAll('dk_live_…', 'dk_live_1')

const README_BLOCK = readBlocks(readFileSync('README.md', 'utf8')).find(({ text }) =>
  text.includes("from 'openai'"),
)

describe('the blocks of docs/rest.md', () => {
  it('has one for each client on npm', () => {
    const packages = scripts.map(({ text }) => /from '([^']+)'/.exec(text)?.[1])
    expect(packages).toEqual(['openai', '@ai-sdk/openai', '@langchain/openai'])
  })

  const blocks = scripts.map(({ text }, i) => ({ name: `block ${i + 1}`, text }))
  const ofReadme = {
    name: 'README.md',
    text: `${README_BLOCK?.text}console.log(data[0].b64_json.length > 1000)\n`,
  }

  it.each([...blocks, ofReadme])('$name makes an image', async ({ name, text }) => {
    const file = join(CLIENTS_FOLDER, 'programs', `${name.replace(' ', '-')}-${process.pid}.mjs`)
    await writeFile(file, translated(text))
    try {
      const { stdout, stderr } = await run(process.execPath, [file], { cwd: CLIENTS_FOLDER })
      expect([stdout.trim(), stderr]).toEqual(['true', ''])
    } finally {
      await rm(file)
    }
  })

  it('have a curl command that makes an image', async () => {
    const curl = BLOCKS.find(({ text }) => text.startsWith('curl '))
    const response = await fetch(readCurl(translated(curl?.text ?? '').replaceAll('\\\n', ' ')))
    const { data } = await response.json()
    expect(data).toMatchObject([{ url: expect.stringContaining('/assets/img_') }])
  })
})
