// An object; in a form, parts such as `svg[model]` and `svg[reasoning][effort]`, or JSON text.
import { SVG_EFFORTS, type SvgAuthor } from '../../domain.ts'
import { InvalidRequest } from './invalid-request.ts'
import { choice, readObject, readText } from './values.ts'

const readEffort = choice(SVG_EFFORTS)

export function readSvg(value: unknown, name: string, isText: boolean): SvgAuthor {
  const { model, reasoning, ...others } = readObject(value, name, isText)
  const { effort, ...more } = readObject(reasoning ?? {}, `${name}.reasoning`, false)
  const [unknown] = [...Object.keys(others), ...Object.keys(more).map((key) => `reasoning.${key}`)]
  if (unknown !== undefined) {
    const field = `${name}.${unknown.slice(0, 60)}`
    const message = `${field} is not a field. ${name} has model and reasoning.effort.`
    throw new InvalidRequest('unsupported_parameter', message, field)
  }
  if (model === undefined || model === null)
    throw new InvalidRequest(
      'missing_required_parameter',
      `${name}.model is missing. Name the model that writes the SVG, or leave out ${name}.`,
      `${name}.model`,
    )
  return {
    model: readText(model, `${name}.model`),
    effort:
      effort === undefined || effort === null ? null : readEffort(effort, `${name}.reasoning.effort`, isText),
  }
}

export function withSvgOfForm(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { 'svg[model]': model, 'svg[reasoning][effort]': effort, ...others } = fields
  if (model === undefined && effort === undefined) return others
  return { ...others, svg: { model, reasoning: { effort } } }
}
