import type { ReactNode } from 'react'
import { Icon } from '../ui/icon.tsx'
import styles from './matrix.module.css'
import type { ProviderOffer } from './use-providers.ts'

type Model = ProviderOffer['models'][number]

const ROWS: readonly { name: string; of: (model: Model) => ReactNode }[] = [
  { name: 'Generates', of: ({ capabilities }) => <Can is={capabilities.operations.includes('GENERATE')} /> },
  { name: 'Edits', of: ({ capabilities }) => <Can is={capabilities.operations.includes('EDIT')} /> },
  { name: 'Mask', of: ({ capabilities }) => <Can is={capabilities.mask} /> },
  { name: 'Markup', of: ({ capabilities }) => <Can is={capabilities.markup} /> },
  { name: 'Input images', of: ({ capabilities }) => upTo(capabilities.maxInputImages) },
  { name: 'Images per request', of: ({ capabilities }) => upTo(capabilities.maxN) },
  { name: 'Previews', of: ({ capabilities }) => upTo(capabilities.maxPartialImages) },
  { name: 'Sizes', of: ({ capabilities }) => capabilities.sizes.rule },
  { name: 'Qualities', of: ({ capabilities }) => words(capabilities.qualities) },
  { name: 'Formats', of: ({ capabilities }) => words(capabilities.outputFormats) },
  { name: 'Compression', of: ({ capabilities }) => <Can is={capabilities.outputCompression} /> },
  { name: 'Backgrounds', of: ({ capabilities }) => words(capabilities.backgrounds) },
  { name: 'Input fidelity', of: ({ capabilities }) => words(capabilities.inputFidelities) },
  { name: 'Moderation', of: ({ capabilities }) => words(capabilities.moderations) },
  { name: 'Styles', of: ({ capabilities }) => words(capabilities.styles) },
  {
    name: 'Prompt',
    of: ({ capabilities }) => `${capabilities.maxPromptLength.toLocaleString('en')} characters`,
  },
]

/** Capabilities as rows, models as columns. */
export function ModelsTab({ models }: { models: readonly Model[] }) {
  if (models.length === 0) return <p className="muted">It offers no model.</p>
  return (
    <div className={styles['scroll']} tabIndex={0} role="region" aria-label="Models and capabilities">
      <table className={styles['matrix']}>
        <thead>
          <tr>
            <td className={styles['corner']} />
            {models.map((model) => (
              <th key={model.name} scope="col">
                {model.name}
                {model.providerModelName !== model.name && (
                  <span className={styles['second']}>{model.providerModelName}</span>
                )}
                {model.retiresOn !== null && (
                  <span className={styles['retires']}>
                    {isPast(model.retiresOn) ? 'shut down' : 'until'} {model.retiresOn}
                    {model.successor !== null && `, then ${model.successor}`}
                  </span>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ROWS.map(({ name, of }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {models.map((model) => (
                <td key={model.name}>{of(model)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Can({ is }: { is: boolean }) {
  return (
    <span className={styles['can']} data-is={is || undefined}>
      <Icon name={is ? 'check' : 'cross'} size={13} />
      {is ? 'yes' : 'no'}
    </span>
  )
}

function upTo(count: number): string {
  return count === 0 ? 'none' : count === 1 ? '1' : `up to ${count}`
}

function words(values: readonly string[]): string {
  return values.length === 0 ? 'no choice' : values.map((value) => value.toLowerCase()).join(', ')
}

function isPast(day: string): boolean {
  return Date.parse(day) < Date.now()
}
