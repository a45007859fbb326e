// Every wire language there is. A new one is one more line here and one file beside it.
import { openai } from './openai.ts'
import type { Dialect } from './provider.ts'
import { sandbox } from './sandbox.ts'

/** The dialects by the name that a provider's configuration gives. */
export const dialects: Readonly<Record<string, Dialect>> = { openai, sandbox }
