import {
  createElement,
  useRef,
  useState,
  type CSSProperties,
  type ImgHTMLAttributes,
  type ReactElement,
  type SyntheticEvent,
} from 'react'
import { thumbHashToDataURL } from 'thumbhash'
import { srcSetOf, type Image, type Task } from '../index.ts'
import { useOptionalDarkroom } from './context.ts'

export interface TaskImageProps extends Omit<ImgHTMLAttributes<HTMLImageElement>, 'src' | 'srcSet'> {
  /** From `useTask` or `useGenerateImage`. */
  task: Task | null | undefined
  /** Which of several results. Default 0. */
  index?: number
}

/** A deleted image fails with each new address. */
const REFRESH_INTERVAL_MS = 60_000

/**
 * The image of a task in its best state so far: a blurred placeholder, the latest partial image, the result. `data-state`
 * is `empty`, `partial` or `final`. The alternative text is the prompt by default. Below a DarkroomProvider it reads the
 * task again when an image cannot be loaded, because signed addresses expire.
 */
export function TaskImage({ task: known, index = 0, ...given }: TaskImageProps): ReactElement {
  const darkroom = useOptionalDarkroom()
  const [fresh, setFresh] = useState<Task>()
  const refreshedAt = useRef(-Infinity)
  const isFresh = fresh !== undefined && fresh.id === known?.id && fresh.revision >= known.revision
  const task = isFresh ? fresh : known
  const onError = (event: SyntheticEvent<HTMLImageElement>) => {
    given.onError?.(event)
    if (!darkroom || !task || Date.now() < refreshedAt.current + REFRESH_INTERVAL_MS) return
    refreshedAt.current = Date.now()
    darkroom.task(task.id).then(
      (read) => read && setFresh(read),
      () => {},
    )
  }
  const result = task?.images[index]
  const image = result ?? task?.partialImages.at(-1)?.image
  const isBusy = task?.status === 'QUEUED' || task?.status === 'RUNNING'
  const shared = {
    'data-state': result ? 'final' : image ? 'partial' : 'empty',
    'aria-busy': isBusy,
  }
  const { alt = task?.prompt ?? '', style } = given
  if (!image) {
    const { className, id } = given
    const ratio = /^(\d+)x(\d+)$/.exec(task?.size ?? '')
    const empty = { display: 'block', aspectRatio: ratio ? `${ratio[1]} / ${ratio[2]}` : '1', ...style }
    return createElement('span', { ...shared, className, id, role: 'img', 'aria-label': alt, style: empty })
  }
  return createElement('img', {
    // A browser does not load the same address again.
    key: isFresh ? 'fresh' : 'known',
    sizes: '100vw',
    width: image.width,
    height: image.height,
    ...given,
    ...shared,
    alt,
    onError,
    style: { ...placeholderOf(image), ...style },
    srcSet: srcSetOf(image),
    src: image.url,
  })
}

/** During the download. */
function placeholderOf({ thumbhash }: Image): CSSProperties {
  if (thumbhash === null) return {}
  const bytes = Uint8Array.from(atob(thumbhash), (letter) => letter.charCodeAt(0))
  return { backgroundImage: `url(${thumbHashToDataURL(bytes)})`, backgroundSize: 'cover' }
}
