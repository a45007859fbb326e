// Real calls to a real account, straight through its adapter: does it answer as the adapter expects?
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline/promises'
import type { Config } from '../config/config.ts'
import { didYouMean } from '../config/nearest.ts'
import { formatUsd } from '../money.ts'
import type { ProviderRequestImage, Provider } from '../providers/provider.ts'
import type { Arguments, Command, Surroundings } from './command.ts'
import { closeProviders } from './config.ts'
import { EXIT, UsageError } from './exit.ts'
import { findingsOf, wireFindings, type Finding } from './providers-check/findings.ts'
import { costOf, planTrials, type Trial } from './providers-check/plan.ts'
import { describeExchange, openWiretap } from './providers-check/traffic.ts'
import { tryOrder, type Place } from './providers-check/call.ts'
import type { Paint } from './screen.ts'
import { watchSignals } from './signals.ts'
import { warn } from './warn.ts'

/** `darkroom providers-check`. */
export const providersCheck: Command = {
  name: 'providers-check',
  summary: 'Try one provider with one cheap picture and one edit, for real money',
  usage: '[provider] [--model <name>] [--yes]',
  takesWords: true,
  options: [
    { name: 'model', value: '<name>', about: 'gpt-image-2, or the first that the provider serves' },
    { name: 'yes', value: null, about: 'do not ask before money is spent' },
  ],
  notes: [
    {
      title: 'What it does',
      lines: [
        ['calls', 'one generation of a small size in low quality, then an edit of it, if it can'],
        ['prints', 'what came against what was expected: names and numbers, never contents or keys'],
        ['keeps', 'nothing: no database, and the pictures are removed'],
        ['exit code', '0 when all is as expected, 1 when something is not, or was not tried'],
      ],
    },
  ],
  examples: ['darkroom providers-check openai', 'darkroom providers-check jimmy --yes'],
  run: runCheck,
}

async function runCheck({ words, values, switches }: Arguments, around: Surroundings): Promise<number> {
  const { loadConfig } = await import('../config/config.ts')
  const config = await loadConfig({ env: around.env, cwd: around.cwd })
  await using opened = new AsyncDisposableStack()
  opened.defer(() => closeProviders(config))
  for (const warning of config.warnings) warn(warning, around.err)
  const provider = find(words, config)
  const trials = planTrials(provider, values['model'])
  if (!(await mayBegin(provider, trials, switches.has('yes'), around))) return EXIT.failed

  const signals = opened.adopt(watchSignals(), (it) => it.close())
  void signals.second.then(() => process.exit(EXIT.interrupted))
  const spool = await mkdtemp(join(tmpdir(), 'darkroom-check-'))
  opened.defer(() => rm(spool, { recursive: true, force: true, maxRetries: 3 }))
  return await Promise.race([
    tryAll(provider, trials, { spool, publicUrl: config.publicUrl }, around),
    signals.first.then(() => interrupt(around)),
  ])
}

function interrupt({ err }: Surroundings): number {
  err.write('\nInterrupted. What was sent already may still be charged.\n')
  return EXIT.interrupted
}

/** Resolves to the exit code. */
async function tryAll(
  provider: Provider,
  trials: readonly Trial[],
  place: Place,
  { out }: Surroundings,
): Promise<number> {
  let images: readonly ProviderRequestImage[] = []
  let isGood = true
  for (const trial of trials) {
    out.write(`\n  ${out.paint('bold', trial.title)}\n`)
    if (trial.order.operation === 'EDIT' && images.length === 0) {
      out.write('    not tried: there is no picture to edit\n')
      isGood = false
      break
    }
    const wiretap = openWiretap()
    const ending = await tryOrder(provider, { ...trial.order, images }, place)
    const exchanges = wiretap.close()
    const findings = [...wireFindings(exchanges), ...findingsOf(trial, ending, provider)]
    for (const exchange of exchanges) out.write(describeExchange(exchange))
    for (const finding of findings) out.write(line(finding, out.paint))
    isGood &&= findings.every(({ verdict }) => verdict !== 'wrong')
    images = ending.images.slice(0, 1)
  }
  out.write(
    isGood ? '\n  All is as expected.\n\n' : '\n  Not all is as expected: see the lines marked ×.\n\n',
  )
  return isGood ? EXIT.ok : EXIT.failed
}

function find(words: readonly string[], { providers }: Config): Provider {
  const names = providers.map(({ name }) => name)
  const [name] = words
  const [only] = providers
  if (name === undefined && providers.length === 1 && only) return only
  if (name === undefined || words.length > 1) {
    throw new UsageError(`One provider at a time, since it costs money: ${names.join(', ')}.`)
  }
  const found = providers.find((provider) => provider.name === name)
  if (found) return found
  throw new UsageError(
    `There is no provider "${name}". Configured: ${names.join(', ')}.${didYouMean(name, names)}`,
  )
}

/** Says what is about to be spent, and asks unless that was answered already. */
async function mayBegin(
  provider: Provider,
  trials: readonly Trial[],
  isAgreed: boolean,
  { out }: Surroundings,
): Promise<boolean> {
  const costs = trials.map(costOf)
  const known = costs.every((cost) => cost !== null)
  const sum = costs.reduce<number>((total, cost) => total + (cost ?? 0), 0)
  const estimate = known ? `about ${formatUsd(sum)} by list price` : 'at a price that is not known here'
  const price = provider.dialect === 'sandbox' ? 'Costs nothing.' : `Costs real money, ${estimate}.`
  const titles = trials.map(({ title }) => title).join('; ')
  out.write(`\n  ${provider.name} (${provider.dialect}): ${titles}\n  ${price}\n`)
  if (isAgreed || provider.dialect === 'sandbox') return true
  if (!process.stdin.isTTY) throw new UsageError('There is nobody to ask: pass --yes to spend the money.')
  const asking = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await asking.question('  Go on? [y/N] ')
  asking.close()
  if (/^y(es)?$/i.test(answer.trim())) return true
  out.write('  Nothing was sent.\n')
  return false
}

function line({ verdict, what, seen, expected }: Finding, paint: Paint): string {
  const mark = { good: paint('green', '✓'), wrong: paint('red', '×'), note: paint('dim', '·') }[verdict]
  const wanted = expected === undefined ? '' : paint('dim', `  expected ${expected}`)
  return `    ${mark} ${what.padEnd(11)} ${seen}${wanted}\n`
}
