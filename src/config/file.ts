// The configuration file: found, read and parsed, but not yet understood.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { scrub } from '../log.ts'
import type { Environment } from './environment.ts'

export interface ConfigFile {
  /** As problems name it: `darkroom.config.json`, or DARKROOM_CONFIG's own words. */
  label: string
  content: Record<string, unknown>
}

const EXTENSIONS = ['.ts', '.js', '.json']

/** The file that DARKROOM_CONFIG names, or `darkroom.config.{ts,js,json}` in `cwd`; undefined when there is none. */
export async function readConfigFile(
  place: { env: Environment; cwd: string },
  problems: string[],
): Promise<ConfigFile | undefined> {
  const path = findConfigFile(place, problems)
  if (path === undefined) return undefined
  const label = place.env['DARKROOM_CONFIG'] || basename(path)
  try {
    const content: unknown =
      extname(path) === '.json' ? parseJson(await readFile(path, 'utf8')) : await defaultExport(path)
    if (isRecord(content)) return { label, content }
    problems.push(
      `${label}: it must hold one object with the settings${extname(path) === '.json' ? '' : ', as default export'}.`,
    )
  } catch (error) {
    problems.push(`${label}: it cannot be read: ${firstLine(error)}.`)
  }
  return undefined
}

function findConfigFile(
  { env, cwd }: { env: Environment; cwd: string },
  problems: string[],
): string | undefined {
  const named = env['DARKROOM_CONFIG']
  if (named) return checkNamed(named, resolve(cwd, named), problems)
  const found = EXTENSIONS.map((extension) => `darkroom.config${extension}`).filter((name) =>
    existsSync(resolve(cwd, name)),
  )
  if (found.length > 1)
    problems.push(`${found.join(' and ')}: there must be one configuration file; remove the others.`)
  return found[0] === undefined ? undefined : resolve(cwd, found[0])
}

function checkNamed(named: string, path: string, problems: string[]): string | undefined {
  if (!EXTENSIONS.includes(extname(path))) {
    problems.push(`DARKROOM_CONFIG is "${named}": it must name a .ts, .js or .json file.`)
    return undefined
  }
  if (existsSync(path)) return path
  problems.push(`DARKROOM_CONFIG is "${named}": there is no such file.`)
  return undefined
}

async function defaultExport(path: string): Promise<unknown> {
  const module: unknown = await import(/* @vite-ignore */ pathToFileURL(path).href)
  return isRecord(module) ? module['default'] : undefined
}

/** JSON.parse quotes the text around a mistake in its message, and that text may be a secret: only the place is kept. */
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
  // Without a line of its own the message shows at most ten characters on either side of the mistake.
  const [, ellipsis, around] = /, (\.\.\.)?"([\s\S]*?)"(?:\.\.\.)? is not valid JSON$/.exec(message) ?? []
  if (around === undefined) return ''
  const at = json.indexOf(around) + (ellipsis ? Math.min(10, around.length) : 0)
  return `, line ${json.slice(0, Math.max(at, 0)).split('\n').length}`
}

function firstLine(error: unknown): string {
  const [line = ''] = String(error instanceof Error ? error.message : error).split('\n')
  return scrub(line).replace(/\.$/, '')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
