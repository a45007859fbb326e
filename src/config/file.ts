import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { redactSecrets } from '../log.ts'
import type { Environment } from './environment.ts'

export interface ConfigFile {
  label: string
  content: Record<string, unknown>
}

const EXTENSIONS = ['.ts', '.js', '.json']

/** Named by DARKROOM_CONFIG, else `darkroom.config.{ts,js,json}` in `cwd`; undefined if missing. */
export async function readConfigFile(
  { env, cwd }: { env: Environment; cwd: string },
  problems: string[],
): Promise<ConfigFile | undefined> {
  const named = env['DARKROOM_CONFIG']
  const path = named ? checkNamed(named, cwd, problems) : findDefault(cwd, problems)
  if (path === undefined) return undefined
  const label = named || basename(path)
  const isJson = extname(path) === '.json'
  try {
    const content: unknown = isJson
      ? parseJson(withoutMark(await readFile(path, 'utf8')))
      : await defaultExport(path)
    if (isRecord(content)) return { label, content }
    problems.push(
      `${label} must contain an object with the settings${isJson ? '' : ', as its default export'}.`,
    )
  } catch (error) {
    problems.push(`${label} cannot be read: ${firstLine(error)}.`)
  }
  return undefined
}

function checkNamed(named: string, cwd: string, problems: string[]): string | undefined {
  const path = resolve(cwd, named)
  const isSupported = EXTENSIONS.includes(extname(path))
  if (isSupported && existsSync(path)) return path
  const rule = isSupported ? 'this file does not exist' : 'it must name a .ts, .js or .json file'
  problems.push(`DARKROOM_CONFIG is "${named}"; ${rule}.`)
  return undefined
}

function findDefault(cwd: string, problems: string[]): string | undefined {
  const names = EXTENSIONS.map((extension) => `darkroom.config${extension}`)
  const found = names.filter((name) => existsSync(resolve(cwd, name)))
  if (found.length > 1) problems.push(`${found.join(' and ')} exist together. Keep one of them.`)
  return found[0] === undefined ? undefined : resolve(cwd, found[0])
}

async function defaultExport(path: string): Promise<unknown> {
  const module: unknown = await import(/* @vite-ignore */ pathToFileURL(path).href)
  return isRecord(module) ? module['default'] : undefined
}

/** Windows editors may write one. */
function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, '')
}

/** JSON.parse quotes text, perhaps a secret: only the position is reported. */
function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    const what =
      /^(Unexpected token '.'|Unexpected end of JSON input|[^"]+ in JSON)/u.exec(message)?.[0] ??
      'not valid JSON'
    throw new Error(`${what}${lineOf(message, json)}`, { cause: error })
  }
}

function lineOf(message: string, json: string): string {
  const line = /\(line (\d+) column \d+\)/.exec(message)?.[1]
  if (line !== undefined) return `, line ${line}`
  // Without a line number, up to ten characters on either side are quoted.
  const [, ellipsis, around] = /, (\.\.\.)?"([\s\S]*?)"(?:\.\.\.)? is not valid JSON$/.exec(message) ?? []
  if (around === undefined) return ''
  const at = json.indexOf(around) + (ellipsis ? Math.min(10, around.length) : 0)
  return `, line ${json.slice(0, Math.max(at, 0)).split('\n').length}`
}

function firstLine(error: unknown): string {
  const [line = ''] = String(error instanceof Error ? error.message : error).split('\n')
  return redactSecrets(line).replace(/\.$/, '')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
