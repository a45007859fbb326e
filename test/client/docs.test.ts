// Executes the code of docs/client.md in its order, and compares the output.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { readBlocks } from '../story/page.ts'
import { openGateway } from '../support/gateway.ts'
import { run } from '../support/npm.ts'

it('the code of docs/client.md prints what is shown', async () => {
  await using server = await openGateway()
  const blocks = readBlocks(readFileSync('docs/client.md', 'utf8'))
  const textOf = (language: string) =>
    blocks.filter((one) => one.language === language).map(({ text }) => text)
  const entry = pathToFileURL(join(import.meta.dirname, '../../client/index.ts')).href
  const program = textOf('js')
    .join('')
    .replace("'darkroom/client'", `'${entry}'`)
    .replace('http://127.0.0.1:4000', server.url)
  expect(textOf('js').length).toBeGreaterThan(6)
  const { stdout, stderr, code } = await run(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: process.cwd(),
  })
  expect([stdout, stderr, code]).toEqual([textOf('text').join(''), '', 0])
})
