import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useMemo, useState } from 'react'
import { ListGallery } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import { NoRight } from '../shell/no-right.tsx'
import { Icon } from '../ui/icon.tsx'
import { PageHead } from '../ui/page-head.tsx'
import { Problem } from '../ui/problem.tsx'
import { QueryButton } from '../ui/query-button.tsx'
import { TileGrid } from '../ui/tile-grid.tsx'
import { useKeys } from '../ui/use-keys.ts'
import { Filters } from './filters.tsx'
import { imageFilterOf, isFiltered, type ImagesSearch } from './images-search.ts'
import { ImageTile } from './image-tile.tsx'
import styles from './images-page.module.css'
import { SelectionBar } from './selection-bar.tsx'
import { PAGE_SIZE, useGallery } from './use-gallery.ts'
import { useNewCount } from './use-new-count.ts'

export function ImagesPage() {
  const { may } = useSession()
  if (!may('READ')) return <NoRight scope="READ" text="This key may not see pictures" />
  return <Images />
}

const TILE_PX = { s: 120, m: 190, l: 300 } as const
const CAPTION_PX = 50

/** Results and inputs of the project, newest first, by the address of the page. */
function Images() {
  const search = useSearch({ from: '/images' })
  const { images, total, error, isReading, gallery } = useGallery(search)
  const [chosen, setChosen] = useState<readonly string[]>([])
  const [isSelecting, setIsSelecting] = useState(false)
  const { count: newCount, reset } = useNewCount(search)
  const navigate = useNavigate()
  const known = useMemo(() => new Map(images?.map((image) => [image.id, image])), [images])
  const selected = chosen.flatMap((id) => known.get(id) ?? [])
  const readMore = useCallback(() => gallery.readMore(), [gallery])
  const [a, b] = selected
  useKeys({
    c: a && b && selected.length === 2 ? compare : undefined,
    Escape: isSelecting || selected.length > 0 ? stopSelecting : undefined,
  })

  function compare(): void {
    void navigate({ to: '/compare', search: { a: a?.id, b: b?.id } })
  }

  function stopSelecting(): void {
    setChosen([])
    setIsSelecting(false)
  }

  function toggle(id: string): void {
    setChosen((last) => (last.includes(id) ? last.filter((one) => one !== id) : [...last, id]))
  }

  const isEmpty = images?.length === 0
  return (
    <>
      <PageHead title="Images" note={total === undefined ? undefined : countText(total)}>
        {newCount > 0 && (
          <button
            type="button"
            className="button"
            onClick={() => {
              reset()
              void gallery.refresh()
            }}
          >
            {newCount} new
          </button>
        )}
        {!isEmpty && (
          <button
            type="button"
            className="button"
            aria-pressed={isSelecting}
            onClick={() => (isSelecting ? stopSelecting() : setIsSelecting(true))}
          >
            <Icon name="check" /> {isSelecting ? 'Stop selecting' : 'Select'}
          </button>
        )}
        <QueryButton
          queries={[
            {
              text: 'Images',
              document: ListGallery,
              variables: { first: PAGE_SIZE, filter: imageFilterOf(search, Date.now()) },
            },
          ]}
        />
      </PageHead>
      {(!isEmpty || isFiltered(search)) && <Filters search={search} />}
      {isEmpty && <Nothing search={search} />}
      {!images && !error && <Skeleton search={search} />}
      {images && images.length > 0 && (
        <div data-selecting={isSelecting || selected.length > 0 || undefined} className={styles['gallery']}>
          <TileGrid
            key={search.size ?? 'm'}
            count={images.length}
            keyOf={(index) => images[index]?.id ?? String(index)}
            label="Images"
            minTilePx={TILE_PX[search.size ?? 'm']}
            captionPx={CAPTION_PX}
            onEnd={readMore}
          >
            {(index, tabIndex) => {
              const image = images[index]
              return (
                image && (
                  <ImageTile
                    image={image}
                    search={search}
                    tabIndex={tabIndex}
                    isChosen={known.has(image.id) && chosen.includes(image.id)}
                    onToggle={toggle}
                    onExpire={gallery.renew}
                  />
                )
              )
            }}
          </TileGrid>
          {isReading && <p className={styles['reading']}>Reading older pictures</p>}
        </div>
      )}
      {error && (
        <Problem error={error} onRetry={() => (images ? gallery.readMore() : void gallery.refresh())} />
      )}
      {selected.length > 0 && <SelectionBar images={selected} compare={compare} onClear={stopSelecting} />}
    </>
  )
}

function countText(total: number): string {
  return total === 1 ? '1 picture' : `${total.toLocaleString('en')} pictures`
}

function Nothing({ search }: { search: ImagesSearch }) {
  const { may } = useSession()
  return (
    <div className={styles['nothing']}>
      {isFiltered(search) ? (
        <>
          <p>No picture matches.</p>
          <Link to="/images" className="button">
            Clear the filters
          </Link>
        </>
      ) : (
        <>
          <p>Every result and every uploaded picture of the project is shown here.</p>
          {may('GENERATE') && (
            <Link to="/" className="button primary">
              Make the first picture
            </Link>
          )}
        </>
      )}
    </div>
  )
}

const SKELETONS = 12

function Skeleton({ search }: { search: ImagesSearch }) {
  const size = search.size ?? 'm'
  const columns = `repeat(auto-fill, minmax(min(44%, ${TILE_PX[size]}px), 1fr))`
  return (
    <div className={styles['skeletons']} style={{ gridTemplateColumns: columns }} aria-busy="true">
      {Array.from({ length: SKELETONS }, (_, index) => (
        <div key={index} className={styles['skeleton']} />
      ))}
    </div>
  )
}
