import type { CallToolResult, ToolAnnotations } from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'
import type { Renditions } from '../../assets/renditions.ts'
import type { Scope } from '../../domain.ts'
import type { Keyring } from '../../engine/access/keyring.ts'
import { badInput } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { Context } from '../../schema/context.ts'
import { isStorable } from '../../text.ts'

export interface McpContext extends Context {
  renditions: Renditions
  keyring: Pick<Keyring, 'watch'>
  log: Logger
}

export interface ToolCall {
  context: McpContext
  /** Aborts the wait for a result, not the task. */
  signal: AbortSignal
  /** Undefined if the client asked for no progress. */
  notify: ((progress: number, message: string) => Promise<void>) | undefined
  dataUrls: Map<string, string>
  /** Frees the request body. */
  release(): void
}

export interface Tool {
  name: string
  description: string
  scope: Scope
  annotations: ToolAnnotations
  input: z.ZodObject
  output: z.ZodObject
  /** `given` is unchecked. Throws GatewayError. */
  call(given: Record<string, unknown>, call: ToolCall): Promise<CallToolResult>
}

interface ToolDefinition<Input extends z.ZodObject, Output extends z.ZodObject> extends Omit<
  Tool,
  'input' | 'output' | 'call'
> {
  input: Input
  output: Output
  run: (args: z.output<Input>, call: ToolCall) => Promise<ToolAnswer<z.input<Output>>>
}

interface ToolAnswer<Data> {
  /** Complete, since many hosts hide `data` from the model. */
  text: string
  data: Data
  images?: { data: string; mimeType: string }[]
  isError?: boolean
}

export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>({
  run,
  ...definition
}: ToolDefinition<Input, Output>): Tool {
  return {
    ...definition,
    call: async (given, call) => toResult(await run(readArguments(definition.input, given), call)),
  }
}

export function toResult({ text, data, images = [], isError = false }: ToolAnswer<object>): CallToolResult {
  return {
    content: [{ type: 'text', text }, ...images.map((image) => ({ type: 'image' as const, ...image }))],
    structuredContent: { ...data },
    ...(isError && { isError }),
  }
}

/** Models write null for arguments left out, nested too. Throws BAD_USER_INPUT with every problem. */
export function readArguments<Input extends z.ZodObject>(
  input: Input,
  given: Record<string, unknown>,
): z.output<Input> {
  checkText(given, [])
  const parsed = input.safeParse(withoutNulls(given))
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  )
  throw badInput(parsed.error.issues[0]?.path.join('.') ?? '', `${problems.slice(0, 10).join('. ')}.`)
}

function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const present = Object.entries(value).filter(([, item]) => item !== null)
  return Object.fromEntries(present.map(([name, item]) => [name, withoutNulls(item)]))
}

const MAX_DEPTH = 8

/** As `withStorableArguments` for GraphQL. */
function checkText(value: unknown, path: readonly string[]): void {
  if (typeof value === 'string' && !isStorable(value)) {
    const name = path.join('.')
    throw badInput(name, `${name} is not valid text: it contains NUL or half of a surrogate pair.`)
  }
  if (typeof value !== 'object' || value === null) return
  if (path.length >= MAX_DEPTH)
    throw badInput(
      path[0]!,
      `${path[0]} has values in more than ${MAX_DEPTH} levels; no argument needs so many.`,
    )
  for (const [name, item] of Object.entries(value)) checkText(item, [...path, name])
}

/** A GraphQL enum in lower case. */
export function wordsOf<const Value extends string>(values: readonly Value[]) {
  return z.enum(values.map(toWord))
}

export function toWord<Value extends string>(value: Value): Lowercase<Value> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same word in lower case
  return value.toLowerCase() as Lowercase<Value>
}

export function valueOf<Word extends string>(word: Word): Uppercase<Word> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same word in upper case
  return word.toUpperCase() as Uppercase<Word>
}
