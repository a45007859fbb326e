import type { TaskDetail } from '../api/generated.ts'
import styles from './request-table.module.css'

/** The settings as requested beside those that the provider used. */
export function RequestTable({ task }: { task: TaskDetail }) {
  const used = task.resolvedSettings
  const rows: [name: string, requested: string | number | null, resolved?: string | null][] = [
    ['operation', task.operation],
    ['model', task.model],
    ['size', task.size, used?.size ?? null],
    ['quality', task.quality, used?.quality ?? null],
    ['background', task.background, used?.background ?? null],
    ['outputFormat', task.outputFormat, used?.outputFormat ?? null],
    ['outputCompression', task.outputCompression],
    ['n', task.n],
    ['partialImages', task.partialImagesRequested],
    ['style', task.style],
    ['moderation', task.moderation],
    ['inputFidelity', task.inputFidelity],
    ['images', task.inputImages.length],
    ['providers', task.allowedProviders?.join(', ') ?? null],
    ['maxCharges', task.maxCharges],
    ['onUnknownOutcome', task.onUnknownOutcome],
    ['idempotencyKey', task.idempotencyKey],
    ...task.metadata.map(({ key, value }): [string, string] => [`metadata.${key}`, value]),
  ]
  return (
    <table className={styles['table']}>
      <thead>
        <tr>
          <th scope="col">Setting</th>
          <th scope="col">Requested</th>
          <th scope="col">Used</th>
        </tr>
      </thead>
      <tbody>
        {rows
          .filter(([, requested]) => requested !== null)
          .map(([name, requested, resolved]) => {
            const isOther = typeof resolved === 'string' && resolved !== requested
            return (
              <tr key={name}>
                <th scope="row" className="mono">
                  {name}
                </th>
                <td>{requested}</td>
                <td data-other={isOther || undefined}>{resolved ?? ''}</td>
              </tr>
            )
          })}
      </tbody>
    </table>
  )
}
