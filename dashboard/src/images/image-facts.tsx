import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { ImageDetail } from '../api/generated.ts'
import { formatBytes } from '../format/bytes.ts'
import { downloadUrl } from '../format/download.ts'
import { formatExactMoney } from '../format/money.ts'
import { formatDuration, formatExactTime } from '../format/time.ts'
import { CopyButton } from '../ui/copy-button.tsx'
import { Fact, FactList } from '../ui/fact-list.tsx'
import { statusText } from '../ui/status.tsx'
import own from './image-page.module.css'
import { costText, formatName } from './texts.ts'

export function ImageFacts({ image }: { image: ImageDetail }) {
  const { kind, owner, width, height, frames, durationMs, usedBy } = image
  const isResult = kind === 'FINAL'
  return (
    <FactList>
      {isResult && (
        <Fact name="Cost">
          <strong title={formatExactMoney(image.costMicros)}>{costText(image)}</strong>
          {owner.images.length > 1 && owner.charged !== 'NO' && (
            <span className="muted"> of {owner.images.length} pictures together</span>
          )}
        </Fact>
      )}
      <Fact name={isResult ? 'Made by' : 'Belongs to'}>
        <Link to="/tasks/$id" params={{ id: owner.id }}>
          {owner.operation === 'EDIT' ? 'Edit' : 'Generation'}
        </Link>
        , {statusText(owner.status).toLowerCase()}
      </Fact>
      <Fact name="Model">
        {owner.model}
        {owner.provider && <span className="muted"> at {owner.provider.name}</span>}
      </Fact>
      <Fact name="Size">
        {width} × {height}
      </Fact>
      {frames > 1 && (
        <Fact name="Frames">
          {frames}
          {durationMs !== null && `, ${formatDuration(durationMs)}`}
        </Fact>
      )}
      <Fact name="Stored">{formatExactTime(image.createdAt)}</Fact>
      {usedBy.length > 0 && (
        <Fact name="Used by">
          <ul>
            {usedBy.map(({ id, prompt }) => (
              <li key={id}>
                <Link to="/tasks/$id" params={{ id }}>
                  {prompt}
                </Link>
              </li>
            ))}
          </ul>
        </Fact>
      )}
      <Fact name="SHA-256">
        <CopyButton text={image.sha256} what="hash" />
      </Fact>
    </FactList>
  )
}

/** The stored file, and smaller ones that the server makes of it. */
export function ImageFiles({ image }: { image: ImageDetail }) {
  const { url, width, height, byteSize, mimeType, renditions } = image
  return (
    <section className={own['section']} aria-labelledby="files-title">
      <h2 id="files-title">Files</h2>
      <FactList>
        <File name="Original" url={url} format={formatName(mimeType)}>
          {width} × {height}, {formatName(mimeType)}, {formatBytes(byteSize)}
        </File>
        {renditions.map((one) => (
          <File key={one.width} name={`${one.width} px`} url={one.url} format="WebP">
            {one.width} × {one.height}, WebP
          </File>
        ))}
      </FactList>
    </section>
  )
}

function File({
  name,
  url,
  format,
  children,
}: {
  name: string
  url: string
  format: string
  children: ReactNode
}) {
  const what = `${name}, ${format}`
  return (
    <Fact name={name}>
      <span className={own['links']}>
        <span>{children}</span>
        <a href={url} target="_blank" rel="noreferrer" aria-label={`Open ${what}`}>
          Open
        </a>
        <a href={downloadUrl(url)} aria-label={`Download ${what}`}>
          Download
        </a>
      </span>
    </Fact>
  )
}
