import { acedata } from './acedata/acedata.ts'
import { AZURE } from './azure/preset.ts'
import { basic } from './basic/basic.ts'
import { jimmy } from './jimmy/jimmy.ts'
import { createOpenaiDialect } from './openai/openai.ts'
import { OPENROUTER } from './openrouter/preset.ts'
import { pmock } from './pmock/pmock.ts'
import { PMOCK } from './pmock/preset.ts'
import type { Dialect } from './provider.ts'
import { sandbox } from './sandbox/sandbox.ts'

export const dialects: Readonly<Record<string, Dialect>> = {
  openai: createOpenaiDialect({ azure: AZURE, openrouter: OPENROUTER, pmock: PMOCK }),
  basic,
  pmock,
  jimmy,
  acedata,
  sandbox,
}
