import { Link } from '@tanstack/react-router'
import type { ImageDetail } from '../api/generated.ts'
import { downloadUrl } from '../format/download.ts'
import { useSession } from '../session/context.ts'
import { CopyLink } from '../ui/copy-link.tsx'
import { Icon } from '../ui/icon.tsx'
import { DeleteButton } from './delete-button.tsx'
import styles from './delete-button.module.css'

export function ImageActions({ image, onDelete }: { image: ImageDetail; onDelete: () => void }) {
  const { may } = useSession()
  const { id, url, kind, owner } = image
  // What it was made from, else what it was uploaded for.
  const other = kind === 'FINAL' ? owner.inputImages[0]?.id : owner.images[0]?.id
  return (
    <div className={styles['row']}>
      {may('GENERATE') && (
        <Link to="/studio" search={{ from: id }} className="button" title="Edit in the Studio">
          <Icon name="edit" /> Edit
        </Link>
      )}
      <Link to="/compare" search={{ a: other ?? id, b: other && id }} className="button" title="Compare (c)">
        <Icon name="compare" /> Compare
      </Link>
      <a className="button" href={downloadUrl(url)}>
        <Icon name="download" /> Download
      </a>
      <a className="button quiet" href={url} target="_blank" rel="noreferrer">
        Full size
      </a>
      <CopyLink />
      <DeleteButton images={[image]} onDelete={(rest) => rest === 0 && onDelete()} />
    </div>
  )
}
