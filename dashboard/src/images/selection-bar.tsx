import type { GalleryImage } from '../api/generated.ts'
import { downloadUrl } from '../format/download.ts'
import { Icon } from '../ui/icon.tsx'
import { DeleteButton } from './delete-button.tsx'
import styles from './selection-bar.module.css'

interface SelectionBarProps {
  images: readonly GalleryImage[]
  compare: () => void
  onClear: () => void
}

/** Browsers drop a download that begins right after another. */
const BETWEEN_DOWNLOADS_MS = 400

/** What may be done with the selected pictures. */
export function SelectionBar({ images, compare, onClear }: SelectionBarProps) {
  const count = images.length
  return (
    <div className={styles['bar']} role="region" aria-label="Selection">
      <p role="status">{count} selected</p>
      <button type="button" className="button" onClick={() => saveAll(images.map(({ url }) => url))}>
        <Icon name="download" /> Download
      </button>
      <button
        type="button"
        className="button"
        disabled={count !== 2}
        title={count === 2 ? 'Compare (c)' : 'Select two pictures to compare them'}
        onClick={compare}
      >
        <Icon name="compare" /> Compare
      </button>
      <DeleteButton images={images} onDelete={(rest) => rest === 0 && onClear()} />
      <button type="button" className="button quiet" onClick={onClear}>
        Clear
      </button>
    </div>
  )
}

/** One file after the other, each under its id. */
function saveAll(urls: readonly string[]): void {
  for (const [index, url] of urls.entries())
    setTimeout(() => {
      const link = document.createElement('a')
      link.href = downloadUrl(url)
      link.download = ''
      link.click()
    }, index * BETWEEN_DOWNLOADS_MS)
}
