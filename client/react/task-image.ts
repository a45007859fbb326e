import { createElement, type CSSProperties, type ImgHTMLAttributes, type ReactElement } from 'react'
import { thumbHashToDataURL } from 'thumbhash'
import { srcSetOf, type Image, type Task } from '../index.ts'

export interface TaskImageProps extends Omit<ImgHTMLAttributes<HTMLImageElement>, 'src' | 'srcSet'> {
  /** From `useTask` or `useGenerateImage`. */
  task: Task | null | undefined
  /** Which of several results. Default 0. */
  index?: number
}

/**
 * A task's image in its best state so far: a blurred placeholder, the latest partial image, the result.
 * `data-state` is `empty`, `partial` or `final`. Alternative text: the prompt by default.
 */
export function TaskImage({ task, index = 0, ...given }: TaskImageProps): ReactElement {
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
    sizes: '100vw',
    width: image.width,
    height: image.height,
    ...given,
    ...shared,
    alt,
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
