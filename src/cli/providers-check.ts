import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline/promises'
import { didYouMean } from '../nearest.ts'
import { formatUsd } from '../money.ts'
import type { Provider, ProviderRequestImage } from '../providers/provider.ts'
import { EXIT, UsageError, type Arguments, type Command, type CommandContext } from './command.ts'
import { closeProviders, loadConfig } from './config.ts'
import { callProvider, type CallSetup } from './providers-check/call.ts'
import { exchangeFindings, findingsOf, type Finding } from './providers-check/findings.ts'
import { estimateCost, planCalls, type PlannedCall } from './providers-check/plan.ts'
import { describeExchange, recordTraffic } from './providers-check/traffic.ts'
import { JSON_OPTION, jsonText } from './output.ts'
import { silent, warn, type Paint, type Screen } from './screen.ts'
import { untilInterrupted, watchSignals } from './signals.ts'

export const providersCheck: Command = {
  name: 'providers-check',
  summary: 'Test a provider with one cheap generation and one edit, for real money',
  usage: '[provider] [options]',
  takesPositionals: true,
  options: {
    '--model <name>': "Model (default: gpt-image-2, else the provider's first)",
    '--yes': 'Do not ask before money is spent',
    ...JSON_OPTION,
  },
  notes: {
    'What it does': {
      calls: 'One small, low-quality generation, then an edit of its image if supported',
      prints: 'Actual and expected values; neither contents nor keys',
      stores: 'Nothing: it uses no database and deletes the images',
      'exit code': '0 if every value is as expected, else 1',
    },
  },
  examples: ['darkroom providers-check openai', 'darkroom providers-check jimmy --yes'],
  run: runCheck,
}

async function runCheck({ positionals, values, flags }: Arguments, context: CommandContext): Promise<number> {
  const config = await loadConfig(context)
  await using opened = new AsyncDisposableStack()
  opened.defer(() => closeProviders(config))
  warn(config.warnings, context.err)
  const provider = getProvider(config.providers, positionals)
  const calls = planCalls(provider, values['model'])
  const isJson = flags.has('json')
  const out = isJson ? silent(context.out) : context.out
  if (isJson && !flags.has('yes') && provider.dialect !== 'sandbox')
    throw new UsageError('With --json, pass --yes to confirm the cost.')
  if (!(await confirm(provider, calls, flags.has('yes'), out))) return EXIT.failed

  const signals = opened.adopt(watchSignals(), (it) => it.close())
  const spool = await mkdtemp(join(tmpdir(), 'darkroom-check-'))
  opened.defer(() => rm(spool, { recursive: true, force: true, maxRetries: 3 }))
  const check = checkAll(calls, { provider, spool, publicUrl: config.publicUrl }, out).then((result) => {
    if (isJson) context.out.write(jsonText({ provider: provider.name, ...result }))
    return result.ok ? EXIT.ok : EXIT.failed
  })
  return await untilInterrupted(signals, context.err, check)
}

async function checkAll(
  calls: readonly PlannedCall[],
  setup: Omit<CallSetup, 'request'>,
  out: Screen,
): Promise<{ ok: boolean; calls: { title: string; findings: Finding[] }[] }> {
  let images: readonly ProviderRequestImage[] = []
  const checked: { title: string; findings: Finding[] }[] = []
  let isOk = true
  for (const call of calls) {
    out.write(`\n  ${out.paint('bold', call.title)}\n`)
    if (call.request.operation === 'EDIT' && images.length === 0) {
      out.write('    Skipped: there is no image to edit.\n')
      isOk = false
      break
    }
    const traffic = recordTraffic()
    const outcome = await callProvider({ ...setup, request: { ...call.request, images } })
    const exchanges = traffic.stop()
    const findings = [...exchangeFindings(exchanges), ...findingsOf(call, outcome, setup.provider)]
    for (const exchange of exchanges) out.write(describeExchange(exchange))
    for (const finding of findings) out.write(lineOf(finding, out.paint))
    checked.push({ title: call.title, findings })
    isOk &&= findings.every(({ verdict }) => verdict !== 'failed')
    images = outcome.images.slice(0, 1)
  }
  out.write(isOk ? '\n  Everything is as expected.\n\n' : '\n  Not as expected: see the lines marked ×.\n\n')
  return { ok: isOk, calls: checked }
}

function getProvider(providers: readonly Provider[], positionals: readonly string[]): Provider {
  const names = providers.map(({ name }) => name)
  const [only] = providers
  const [name, ...more] = positionals
  if (name === undefined && providers.length === 1 && only) return only
  if (name === undefined || more.length > 0)
    throw new UsageError(`Pass one provider, because a check costs money: ${names.join(', ')}.`)
  const provider = providers.find((one) => one.name === name)
  if (provider) return provider
  throw new UsageError(
    `There is no provider "${name}". Configured: ${names.join(', ')}.${didYouMean(name, names)}`,
  )
}

async function confirm(
  { name, dialect }: Provider,
  calls: readonly PlannedCall[],
  isConfirmed: boolean,
  out: Screen,
): Promise<boolean> {
  const costs = calls.map(estimateCost)
  const total = costs.reduce<number | null>(
    (sum, cost) => (sum === null || cost === null ? null : sum + cost),
    0,
  )
  const isFree = dialect === 'sandbox'
  const estimate = total === null ? 'The price is unknown.' : `About ${formatUsd(total)} by list price.`
  out.write(
    `\n  ${name === dialect ? name : `${name} (${dialect})`}: ${calls.length === 1 ? '1 call' : `${calls.length} calls`}\n` +
      `  ${isFree ? 'Free of charge.' : `Costs real money. ${estimate}`}\n`,
  )
  if (isConfirmed || isFree) return true
  if (!process.stdin.isTTY)
    throw new UsageError('Standard input is not a terminal. Pass --yes to confirm the cost.')
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await terminal.question('  Continue? [y/N] ')
  terminal.close()
  if (/^y(es)?$/i.test(answer.trim())) return true
  out.write('  Nothing was sent.\n')
  return false
}

function lineOf({ verdict, label, value, expected }: Finding, paint: Paint): string {
  const mark = { ok: paint('green', '✓'), failed: paint('red', '×'), info: paint('dim', '·') }[verdict]
  const hint = verdict === 'failed' && expected !== undefined ? paint('dim', `  expected: ${expected}`) : ''
  return `    ${mark} ${label.padEnd(11)} ${value}${hint}\n`
}
