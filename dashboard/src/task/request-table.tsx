import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Picture, TaskDetail } from '../api/generated.ts'
import styles from './request-table.module.css'

/** The settings as requested beside those that the provider used. */
export function RequestTable({ task }: { task: TaskDetail }) {
  const used = task.resolvedSettings
  const rows: [name: string, requested: ReactNode, resolved?: string | null][] = [
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
    ['complexity', task.complexity],
    ['animation.frames', task.animation?.frames],
    ['animation.frameDurationMs', task.animation?.frameDurationMs],
    ['svg.model', task.svg?.model],
    ['svg.effort', task.svg?.effort],
    ['images', linksOf(task.inputImages)],
    ['mask', task.mask && linksOf([task.mask])],
    ['markup', task.markup && linksOf([task.markup])],
    ...Object.entries(task.extra ?? {}).map(([name, value]): [string, string] => [
      `extra.${name}`,
      JSON.stringify(value),
    ]),
    ['unsupported', task.unsupported],
    ['providers', task.allowedProviders?.join(', ') ?? null],
    ['maxCharges', task.maxCharges],
    ['onUnknownOutcome', task.onUnknownOutcome],
    ['callbackUrl', task.callbackUrl],
    ['safetyIdentifier', task.safetyIdentifier],
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
          .filter(([, requested]) => requested !== null && requested !== undefined)
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

/** Null without an image. */
function linksOf(images: readonly Picture[]): ReactNode {
  if (images.length === 0) return null
  return images.map(({ id, width, height }) => (
    <div key={id}>
      <Link to="/images/$id" params={{ id }}>
        {width} × {height}
      </Link>
    </div>
  ))
}
