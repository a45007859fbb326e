import { listAttempts } from '../../db/attempts/attempts.ts'
import { chargedOfAll, costOfAll, usageOfAll } from '../../db/attempts/totals.ts'
import type { Queries } from '../../db/connection/database.ts'
import type { AssetRow, TaskRow } from '../../db/tables/tables.ts'
import { listAssets } from '../../db/tasks/assets.ts'
import type { Charged, Usage } from '../../domain.ts'
import { resultsAmong } from '../../engine/images/results.ts'
import type { ResolvedSettings } from '../../providers/provider.ts'
import type { BodyPart } from './body.ts'
import { nameOf, withNames } from './fields.ts'
import type { ResponseFormat, RestWarning } from './read-request.ts'
import { svgUsageBody, usageBody } from './usage-body.ts'

export interface RestResult {
  task: TaskRow
  images: AssetRow[]
  charged: Charged
  /** Null: unknown. */
  costMicros: number | null
  usage: Usage | null
  resolved: ResolvedSettings
  /** Author of an SVG. */
  svgModel: string | undefined
}

export async function readResult(q: Queries, task: TaskRow): Promise<RestResult> {
  const [attempts, assets] = await Promise.all([listAttempts(q, [task.id]), listAssets(q, [task.id])])
  const resolved = attempts.findLast((attempt) => attempt.resolved !== null)?.resolved ?? {}
  return {
    task,
    images: resultsAmong(attempts, assets),
    charged: chargedOfAll(attempts),
    costMicros: costOfAll(attempts, task.status),
    usage: usageOfAll(attempts),
    resolved,
    svgModel: resolved.svgModel ?? task.request.svg?.model,
  }
}

export interface ReplyForm {
  responseFormat: ResponseFormat
  warnings: readonly RestWarning[]
  urlOf: (asset: AssetRow) => string
}

export function createdAtOf({ task }: Pick<RestResult, 'task'>): number {
  return Math.floor((task.finishedAt ?? task.createdAt) / 1000)
}

/** Size and format by the bytes; background and quality if reported. */
export function echoOf({ task, images, resolved }: RestResult): Record<string, string> {
  const [first] = images
  const { background, quality } = resolved
  return {
    ...(background && background !== 'AUTO' && { background: background.toLowerCase() }),
    ...(first && { output_format: first.mimeType.replace(/^image\/|\+xml$/g, '') }),
    ...(quality && quality !== 'AUTO' && { quality: quality.toLowerCase() }),
    ...(first && { size: `${first.width}x${first.height}` }),
    ...(task.request.user !== null && { safety_identifier: task.request.user }),
  }
}

export function warningsOf({ task }: Pick<RestResult, 'task'>, own: readonly RestWarning[]): RestWarning[] {
  const engines = task.warnings.map(({ code, field, message }) => ({
    code,
    field: field === null ? null : nameOf(field),
    message: withNames(message),
  }))
  return [...own, ...engines]
}

/** An image, after `key":`. */
export function imagePart(
  asset: AssetRow,
  { responseFormat, urlOf }: Omit<ReplyForm, 'warnings'>,
): BodyPart[] {
  if (responseFormat === 'url') return [`"url":${JSON.stringify(urlOf(asset))}`]
  return ['"b64_json":"', asset, '"']
}

/** Images are last, so that a reader knows the rest first. */
export function resultBody(result: RestResult, form: ReplyForm): BodyPart[] {
  const [usage, svgUsage] = [usageBody(result.usage), svgUsageBody(result.usage, result.svgModel)]
  const warnings = warningsOf(result, form.warnings)
  const head = JSON.stringify({
    created: createdAtOf(result),
    ...echoOf(result),
    ...(usage && { usage }),
    ...(svgUsage && { svg_usage: svgUsage }),
    ...(warnings.length > 0 && { warnings }),
  })
  const data = result.images.flatMap((asset, i): BodyPart[] => {
    const revised =
      asset.revisedPrompt === null ? '' : `"revised_prompt":${JSON.stringify(asset.revisedPrompt)},`
    return [`${i === 0 ? '' : ','}{${revised}`, ...imagePart(asset, form), '}']
  })
  return [`${head.slice(0, -1)},"data":[`, ...data, ']}']
}

export function resultHeaders(
  { task, charged, costMicros }: Pick<RestResult, 'task' | 'charged' | 'costMicros'>,
  warnings: readonly RestWarning[],
): Record<string, string> {
  const codes = [...new Set(warningsOf({ task }, warnings).map(({ code }) => code))]
  return {
    'darkroom-task-id': task.id,
    'darkroom-charged': charged.toLowerCase(),
    ...(costMicros !== null && { 'darkroom-cost-micros': String(costMicros) }),
    ...(codes.length > 0 && { 'darkroom-warnings': codes.join(', ') }),
  }
}
