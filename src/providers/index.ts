// Every wire language there is. A new one is one more line here and one file beside it.
import { acedata } from './acedata/acedata.ts'
import { basic } from './basic/basic.ts'
import { jimmy } from './jimmy/jimmy.ts'
import { openai } from './openai/openai.ts'
import { pmock } from './pmock/pmock.ts'
import type { Dialect } from './provider.ts'
import { sandbox } from './sandbox/sandbox.ts'

/** The dialects by the name that a provider's configuration gives. */
export const dialects: Readonly<Record<string, Dialect>> = { openai, basic, pmock, jimmy, acedata, sandbox }
