import { useState } from 'react'
import type { ComparedImage } from '../api/generated.ts'
import styles from './stage.module.css'
import type { Mode } from './compare-search.ts'

interface StageProps {
  left: ComparedImage
  right: ComparedImage
  mode: Mode
}

const MIDDLE = 50

/** Both images in one frame of the shape of the first one, or beside each other. */
export function Stage({ left, right, mode }: StageProps) {
  const [position, setPosition] = useState(MIDDLE)
  const [isRight, setIsRight] = useState(false)
  const shape = left.width / left.height
  if (mode === 'side')
    return (
      <div className={styles['side']}>
        <Layer image={left} name="A" />
        <Layer image={right} name="B" />
      </div>
    )
  const frame = { aspectRatio: shape, width: `min(100%, (100dvh - 300px) * ${shape})` }
  if (mode === 'blink')
    return (
      <button
        type="button"
        className={styles['frame']}
        style={frame}
        aria-label={`Shows ${isRight ? 'B' : 'A'}. Switch to ${isRight ? 'A' : 'B'}`}
        onClick={() => setIsRight(!isRight)}
        onKeyDown={({ key }) => {
          if (key === 'ArrowLeft') setIsRight(false)
          if (key === 'ArrowRight') setIsRight(true)
        }}
      >
        <Layer image={left} name="A" isHidden={isRight} />
        <Layer image={right} name="B" isHidden={!isRight} />
      </button>
    )
  return (
    <div className={styles['frame']} style={frame}>
      <Layer image={left} name="A" />
      <span className={styles['top']} style={{ clipPath: `inset(0 0 0 ${position}%)` }}>
        <Layer image={right} name="B" />
      </span>
      <span className={styles['line']} style={{ left: `${position}%` }} aria-hidden="true" />
      <input
        type="range"
        className={styles['range']}
        min={0}
        max={100}
        step={1}
        value={position}
        aria-label="Border between A and B"
        aria-valuetext={`${position} % of A`}
        onChange={({ target }) => setPosition(Number(target.value))}
      />
    </div>
  )
}

function Layer({
  image,
  name,
  isHidden = false,
}: {
  image: ComparedImage
  name: string
  isHidden?: boolean
}) {
  return (
    <figure className={styles['layer']} data-hidden={isHidden || undefined} data-name={name}>
      <img
        src={image.url}
        alt={`${name}: ${image.task.prompt}`}
        width={image.width}
        height={image.height}
        draggable={false}
      />
      <figcaption aria-hidden="true">{name}</figcaption>
    </figure>
  )
}
