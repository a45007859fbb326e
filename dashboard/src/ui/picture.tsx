import { useState } from 'react'
import type { Picture as PictureData } from '../api/generated.ts'
import { placeholderOf } from './placeholder.ts'
import styles from './picture.module.css'

interface PictureProps {
  /** The best state so far: a preview, then the result. Undefined before the first. */
  image: PictureData | undefined
  alt: string
  /** As of `<img sizes>`. */
  sizes: string
  isRunning?: boolean
  fit?: 'cover' | 'contain'
  /** The address has expired, for example. Called once for each address. */
  onFail?: (() => void) | undefined
}

/** A picture that develops: placeholder, previews and result fade over each other, without a change of the layout. */
export function Picture({ image, alt, sizes, isRunning = false, fit = 'cover', onFail }: PictureProps) {
  const [layers, setLayers] = useState<readonly PictureData[]>(image ? [image] : [])
  const [loaded, setLoaded] = useState<string>()
  const [failed, setFailed] = useState<string>()
  const top = layers.at(-1)
  if (image && top !== image)
    setLayers(top?.id === image.id ? [...layers.slice(0, -1), image] : [...layers.slice(-1), image])

  const placeholder = placeholderOf((layers[0] ?? image)?.thumbhash)
  return (
    <span
      className={styles['frame']}
      data-state={image ? (isRunning ? 'preview' : 'final') : 'empty'}
      data-running={isRunning || undefined}
      {...(!image && { role: 'img', 'aria-label': alt })}
    >
      {placeholder !== undefined && (
        <span
          className={styles['placeholder']}
          data-fit={fit}
          style={{ backgroundImage: `url(${placeholder})` }}
        />
      )}
      {layers.map((layer, index) => (
        <img
          key={layer.id}
          className={styles['layer']}
          data-fit={fit}
          data-shown={index < layers.length - 1 || loaded === layer.id || undefined}
          alt={index === layers.length - 1 ? alt : ''}
          width={layer.width}
          height={layer.height}
          sizes={sizes}
          srcSet={`${layer.small} 320w, ${layer.medium} 640w, ${layer.large} 1280w`}
          src={layer.medium}
          decoding="async"
          draggable={false}
          onLoad={() => setLoaded(layer.id)}
          onError={() => {
            if (failed === layer.url) return
            setFailed(layer.url)
            onFail?.()
          }}
        />
      ))}
    </span>
  )
}
