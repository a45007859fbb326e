import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useEffect, type ReactNode } from 'react'
import { DarkroomError } from '../api/connection.ts'
import { ReadImage, type GalleryImage, type ImageDetail } from '../api/generated.ts'
import { EditHistory } from '../history/edit-history.tsx'
import { useSession } from '../session/context.ts'
import { NoRight } from '../shell/no-right.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import styles from '../ui/detail.module.css'
import parts from '../ui/parts.module.css'
import { Icon } from '../ui/icon.tsx'
import { Picture } from '../ui/picture.tsx'
import { Problem } from '../ui/problem.tsx'
import { QueryButton } from '../ui/query-button.tsx'
import { useKeys } from '../ui/use-keys.ts'
import { ImageActions } from './image-actions.tsx'
import { ImageFacts, ImageFiles } from './image-facts.tsx'
import own from './image-page.module.css'
import { KIND_TEXTS } from './texts.ts'
import { useGallery } from './use-gallery.ts'
import { useImage } from './use-image.ts'

export function ImagePage() {
  const { may } = useSession()
  const { id } = useParams({ from: '/images/$id' })
  useEffect(() => {
    // In newer browsers it returns a promise, which an effect must not return.
    scrollTo(0, 0)
  }, [id])
  if (!may('READ')) return <NoRight scope="READ" text="This key may not see pictures" />
  return <ImageView id={id} />
}

/** One picture, and its neighbors in the list of the address. */
function ImageView({ id }: { id: string }) {
  const search = useSearch({ from: '/images/$id' })
  const navigate = useNavigate()
  const { images } = useGallery(search)
  const { image, error, reload } = useImage(id)
  const position = images?.findIndex((one) => one.id === id) ?? -1
  const known = images?.[position]
  const previous = images?.[position - 1]
  const next = position === -1 ? undefined : images?.[position + 1]
  const go = (to: GalleryImage | undefined) =>
    to && (() => void navigate({ to: '/images/$id', params: { id: to.id }, search, replace: true }))
  const back = () => void navigate({ to: '/images', search })
  useKeys({
    j: go(next),
    k: go(previous),
    c: () => void navigate({ to: '/compare', search: { a: id } }),
    Escape: back,
  })

  const head = (
    <div className={own['head']}>
      <Link to="/images" search={search} className={parts['back']}>
        <Icon name="back" /> Images
      </Link>
      <Step name="left" text="Previous picture (k)" go={go(previous)} />
      <Step name="right" text="Next picture (j)" go={go(next)} />
    </div>
  )
  if (!image && error) {
    const isMissing = error instanceof DarkroomError && error.code === 'NOT_FOUND'
    return (
      <div className={styles['page']}>
        <title>Picture · Darkroom</title>
        {head}
        <div className={styles['missing']}>
          <h1>{isMissing ? 'This project has no such picture' : 'The picture could not be read'}</h1>
          {isMissing ? (
            <p className="muted">
              <span className="mono">{id}</span> may have been deleted.
            </p>
          ) : (
            <Problem error={error} onRetry={reload} />
          )}
        </div>
      </div>
    )
  }
  const shown = image ?? known
  return (
    <article className={styles['page']} aria-busy={!image}>
      <title>{shown ? `Picture · ${shown.task.prompt.slice(0, 60)} · Darkroom` : 'Picture · Darkroom'}</title>
      {head}
      <div className={styles['columns']}>
        {shown ? <Stage image={shown} onFail={reload} /> : <div className={styles['skeleton']} />}
        <div className={styles['side']}>
          {shown && (
            <>
              <p className="muted">{KIND_TEXTS[shown.kind]}</p>
              <h1 className={styles['prompt']}>{shown.task.prompt}</h1>
            </>
          )}
          {image && (
            <>
              {image.revisedPrompt !== null && image.revisedPrompt !== image.task.prompt && (
                <Quote name="Prompt as rewritten by the provider">{image.revisedPrompt}</Quote>
              )}
              <ImageActions image={image} onDelete={back} />
              <ImageFacts image={image} />
              <div className={styles['id']}>
                <CopyButton text={image.id} what="image id" />
                <QueryButton queries={[{ text: 'Image', document: ReadImage, variables: { id } }]} />
              </div>
            </>
          )}
        </div>
      </div>
      {image && error && <Problem error={error} onRetry={reload} />}
      {image && <ImageFiles image={image} />}
      {image && <EditHistory task={image.owner} />}
    </article>
  )
}

function Step({ name, text, go }: { name: 'left' | 'right'; text: string; go: (() => void) | undefined }) {
  return (
    <button type="button" className="button quiet" title={text} disabled={!go} onClick={go}>
      <Icon name={name} />
      <span className="hidden">{text}</span>
    </button>
  )
}

function Quote({ name, children }: { name: string; children: ReactNode }) {
  return (
    <figure className={own['quote']}>
      <figcaption>{name}</figcaption>
      <blockquote>{children}</blockquote>
    </figure>
  )
}

/** A GIF moves, and an SVG is drawn as sharp as the screen is. */
const SHOWN_AS_STORED: ReadonlySet<string> = new Set(['image/gif', 'image/svg+xml'])

function Stage({ image, onFail }: { image: GalleryImage | ImageDetail; onFail: () => void }) {
  const { id, width, height, mimeType, task, url } = image
  const shape = width / height
  return (
    <div
      className={styles['stage']}
      style={{ aspectRatio: shape, width: `min(100%, (100dvh - 190px) * ${shape})` }}
    >
      {SHOWN_AS_STORED.has(mimeType) ? (
        <img key={id} className={own['stored']} src={url} alt={task.prompt} onError={onFail} />
      ) : (
        <Picture
          key={id}
          image={image}
          alt={task.prompt}
          sizes="(max-width: 1000px) 100vw, 900px"
          fit="contain"
          onFail={onFail}
        />
      )}
    </div>
  )
}
