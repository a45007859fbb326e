import { formatUsd } from '../money.ts'
import type { ListedModel, Offer, Provider } from '../providers/provider.ts'
import { EXIT, UsageError, type Arguments, type Command, type CommandContext } from './command.ts'
import { closeProviders, loadConfig } from './config.ts'
import { compareModels, findingText } from './models/compare.ts'
import { formatError } from './format.ts'
import { jsonText } from './output.ts'
import { warn, type Paint } from './screen.ts'
import { indented, renderTable, type TableCell } from './table.ts'
import { withTimeout } from './with-timeout.ts'

const DEFAULT_TIMEOUT_SECONDS = 20
const MAX_TIMEOUT_SECONDS = 600

export const models: Command = {
  name: 'models',
  summary: 'List the configured models, or compare them with the lists of their providers',
  usage: '[list] | check [provider]',
  takesPositionals: true,
  options: {
    '--json': 'Print JSON',
    '--timeout <seconds>': `Longest wait of check for each provider, up to ${MAX_TIMEOUT_SECONDS} (default: ${DEFAULT_TIMEOUT_SECONDS})`,
  },
  notes: {
    Columns: {
      formats: 'Output formats; features are edit, mask, markup, previews and what else the model takes',
      price: 'Per million output tokens of images and of authors of SVGs, or per image; ? if unknown',
      ends: 'Announced shutdown date and the successor; later, requests are refused',
    },
    check: {
      reads: '/models of each provider that has one; free of charge',
      'exit code': '1 if a model is not listed, its date differs or a list cannot be read, else 0',
    },
  },
  examples: ['darkroom models', 'darkroom models check openai'],
  run: runModels,
}

async function runModels(
  { positionals, values, flags }: Arguments,
  context: CommandContext,
): Promise<number> {
  const [verb = 'list', name, ...more] = positionals
  if (!['list', 'check'].includes(verb) || more.length > 0 || (verb === 'list' && name !== undefined))
    throw new UsageError('`darkroom models` takes one of: list, check [provider].')
  const seconds = readTimeout(values['timeout'])
  const config = await loadConfig(context)
  await using opened = new AsyncDisposableStack()
  opened.defer(() => closeProviders(config))
  warn(config.warnings, context.err)
  const providers = config.providers.filter((provider) => name === undefined || provider.name === name)
  if (providers.length === 0)
    throw new UsageError(
      `There is no provider "${name}". Configured: ${config.providers.map((one) => one.name).join(', ')}.`,
    )
  const isJson = flags.has('json')
  if (verb === 'list' && isJson) context.out.write(jsonText({ models: providers.flatMap(toJson) }))
  else if (verb === 'list') list(providers, context)
  else return await checkAll(providers, seconds, context, isJson)
  return EXIT.ok
}

/** Money in micro-USD; a price is null if unknown. */
function toJson({ name: provider, offers }: Provider) {
  return offers.map(({ model, capabilities, price, svgPrices, retiresOn, successor }) => {
    return { provider, model, capabilities, price, svgPrices, retiresOn, successor }
  })
}

function list(providers: readonly Provider[], { out }: CommandContext): void {
  const columns = ['Provider', 'Model', 'Formats', 'Features', 'Price', 'Ends'].map((head) => ({ head }))
  const rows = providers.flatMap((provider) =>
    provider.offers.map((offer): TableCell[] => [
      provider.name,
      offer.model,
      offer.capabilities.outputFormats.join(' ').toLowerCase(),
      featuresOf(offer).join(', '),
      priceText(offer),
      endText(offer),
    ]),
  )
  out.write(indented(renderTable({ columns, rows }, out.paint)))
}

function featuresOf({ capabilities: can }: Offer): string[] {
  return [
    can.operations.includes('EDIT') && 'edit',
    can.mask && 'mask',
    can.markup && 'markup',
    can.maxPartialImages > 0 && 'previews',
    can.complexities.length > 0 && 'complexity',
    can.extra.length > 0 && `extra ${can.extra.join(' ')}`,
  ].filter((feature) => feature !== false)
}

function priceText({ price, svgPrices, capabilities }: Offer): string {
  const authors = capabilities.outputFormats.includes('SVG') ? Object.entries(svgPrices) : []
  const ofAuthors = authors.map(([name, { outputMicros }]) => `SVG by ${name} ${formatUsd(outputMicros)}`)
  return [ownPriceText(price), ...ofAuthors].join(', ')
}

function ownPriceText(price: Offer['price']): string {
  if (!price) return '?'
  return 'imageMicros' in price
    ? `${formatUsd(price.imageMicros)} an image`
    : `${formatUsd(price.outputImageMicros)} a million`
}

function endText({ retiresOn, successor }: Offer): string {
  if (retiresOn === null) return '–'
  return successor === null ? retiresOn : `${retiresOn}, then ${successor}`
}

function readTimeout(text = String(DEFAULT_TIMEOUT_SECONDS)): number {
  const seconds = Number(text)
  if (seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS) return seconds
  throw new UsageError(
    `--timeout is ${text}; it must be more than 0 and at most ${MAX_TIMEOUT_SECONDS} seconds.`,
  )
}

async function checkAll(
  providers: readonly Provider[],
  seconds: number,
  { out }: CommandContext,
  isJson: boolean,
): Promise<number> {
  const results: Checked[] = []
  for (const provider of providers) {
    if (!isJson) out.write(`\n${out.paint('bold', provider.name)}\n`)
    const result = await checkOne(provider, seconds)
    results.push(result)
    if (!isJson) out.write(linesOf(result, provider, out.paint))
  }
  if (isJson) out.write(jsonText({ providers: results }))
  const isAsConfigured = results.every(
    ({ findings, error }) => error === null && findings?.every(({ kind }) => kind !== 'WRONG') !== false,
  )
  return isAsConfigured ? EXIT.ok : EXIT.failed
}

interface Checked {
  provider: string
  /** Null: no list, or unreadable. */
  findings: ReturnType<typeof compareModels> | null
  error: string | null
}

async function checkOne(provider: Provider, seconds: number): Promise<Checked> {
  const checked = { provider: provider.name, findings: null, error: null }
  try {
    const listed = await listWithin(seconds, provider)
    return listed ? { ...checked, findings: compareModels(provider.offers, listed) } : checked
  } catch (error) {
    return { ...checked, error: formatError(error) }
  }
}

function linesOf(
  { findings, error }: Checked,
  { dialect, preset = dialect }: Provider,
  paint: Paint,
): string {
  if (error !== null) return `  ${paint('red', '✗')} ${error}\n`
  if (findings === null) return `  · ${preset} has no list of models\n`
  return findings.map((finding) => `  ${findingText(finding, paint)}\n`).join('')
}

/** Undefined for a provider without a list. */
function listWithin(seconds: number, provider: Provider): Promise<ListedModel[] | undefined> {
  return withTimeout(seconds * 1000, async (signal) => {
    try {
      return await provider.listModels?.({ signal })
    } catch (error) {
      throw signal.aborted ? new Error(`The list did not arrive within ${seconds} s.`) : error
    }
  })
}
