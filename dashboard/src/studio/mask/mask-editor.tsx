import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { hasSingleKeys } from '../../session/single-keys.ts'
import { Icon } from '../../ui/icon.tsx'
import { importMask } from './import-mask.ts'
import styles from './mask-editor.module.css'
import { MaskTools, MAX_BRUSH_PX, MAX_ZOOM, MIN_BRUSH_PX, type Tool } from './mask-tools.tsx'
import { encodeMask } from './png.ts'
import { rasterize, shareOf } from './raster.ts'
import { redo, strokesOf, undo, type MaskState } from './strokes.ts'
import { useMaskCanvas } from './use-mask-canvas.ts'

interface MaskEditorProps {
  preview: string
  name: string
  size: { width: number; height: number }
  state: MaskState
  /** Of the pixels, from 0 to 1. */
  share: number
  /** Whether the model takes a mask. One that is there is shown in any case. */
  canMask: boolean
  onChange: (state: MaskState, share: number) => void
}

const BRUSH_FACTOR = 1.25
/** Of the shorter edge. */
const BRUSH_SHARE = 0.08

/** The first image, and over it what is redrawn. */
export function MaskEditor({ preview, name, size, state, share, canMask, onChange }: MaskEditorProps) {
  const [isActive, setIsActive] = useState(share > 0)
  const [tool, setTool] = useState<Tool>('brush')
  const [zoom, setZoom] = useState(1)
  const [box, setBox] = useState<{ x: number; y: number; width: number; height: number }>()
  const [problem, setProblem] = useState<string>()
  const [brushSize, setBrushSize] = useState(() =>
    Math.min(
      MAX_BRUSH_PX,
      Math.max(MIN_BRUSH_PX, Math.round(Math.min(size.width, size.height) * BRUSH_SHARE)),
    ),
  )
  const scroller = useRef<HTMLDivElement>(null)
  const ring = useRef<HTMLSpanElement>(null)
  const { canvas, handlers, apply } = useMaskCanvas({ size, state, tool, brushSize, onChange, onBox: setBox })
  useWheelZoom(scroller, isActive, setZoom)

  const step = (next: MaskState) => onChange(next, shareOf(rasterize(strokesOf(next), size)))
  const resize = (factor: number) =>
    setBrushSize((last) => {
      const next = factor > 1 ? Math.max(last + 1, last * factor) : Math.min(last - 1, last * factor)
      return Math.round(Math.min(MAX_BRUSH_PX, Math.max(MIN_BRUSH_PX, next)))
    })

  function onKeyDown(event: KeyboardEvent): void {
    const isText = event.target instanceof HTMLInputElement && event.target.type === 'number'
    if (isText) return
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z') {
      event.preventDefault()
      step(event.shiftKey ? redo(state) : undo(state))
    } else if (!event.ctrlKey && !event.metaKey && hasSingleKeys()) {
      if (event.key === '[') resize(1 / BRUSH_FACTOR)
      if (event.key === ']') resize(BRUSH_FACTOR)
    }
  }

  async function readMask(file: File): Promise<void> {
    try {
      apply({ kind: 'import', pixels: await importMask(file, size) })
      setProblem(undefined)
    } catch (error) {
      setProblem((error as Error).message)
    }
  }

  async function saveMask(): Promise<void> {
    const url = URL.createObjectURL(await encodeMask(rasterize(strokesOf(state), size)))
    const link = document.createElement('a')
    link.href = url
    link.download = `mask-${size.width}x${size.height}.png`
    link.click()
    URL.revokeObjectURL(url)
  }

  const shape = size.width / size.height
  const percent = (value: number, of: number) => `${(value / of) * 100}%`
  return (
    <div className={styles['editor']} onKeyDown={onKeyDown}>
      {isActive && (
        <MaskTools
          size={size}
          state={state}
          tool={tool}
          setTool={setTool}
          brushSize={brushSize}
          setBrushSize={setBrushSize}
          zoom={zoom}
          setZoom={setZoom}
          apply={apply}
          onUndo={() => step(undo(state))}
          onRedo={() => step(redo(state))}
          onImport={(file) => void readMask(file)}
          onExport={() => void saveMask()}
        />
      )}
      {problem !== undefined && (
        <p role="alert" className={styles['problem']}>
          {problem}
        </p>
      )}
      <div
        onPointerMove={({ buttons, pointerType, movementX, movementY }) => {
          if (tool === 'hand' && buttons === 1 && pointerType === 'mouse')
            scroller.current?.scrollBy(-movementX, -movementY)
        }}
        ref={scroller}
        className={styles['scroller']}
        data-zoomed={zoom > 1 || undefined}
        tabIndex={zoom > 1 ? 0 : -1}
      >
        <div
          className={styles['stage']}
          style={{
            aspectRatio: shape,
            width: `calc(min(100%, (100dvh - 330px) * ${shape}, ${size.width}px) * ${zoom})`,
          }}
        >
          <img src={preview} alt={`To be edited: ${name}`} draggable={false} />
          <canvas
            ref={canvas}
            width={size.width}
            height={size.height}
            className={styles['mask']}
            data-tool={isActive ? tool : 'none'}
            role="img"
            aria-label={`Mask: ${Math.round(share * 100)} % of the picture is redrawn`}
            {...(isActive && handlers)}
            onPointerMove={(event) => {
              if (!isActive) return
              handlers.onPointerMove(event)
              const area = event.currentTarget.getBoundingClientRect()
              if (ring.current)
                ring.current.style.translate = `${event.clientX - area.left}px ${event.clientY - area.top}px`
            }}
          />
          {isActive && (tool === 'brush' || tool === 'eraser') && (
            <span
              ref={ring}
              className={styles['ring']}
              aria-hidden="true"
              style={{ width: percent(brushSize, size.width) }}
            />
          )}
          {box && (
            <span
              className={styles['box']}
              data-tool={tool}
              aria-hidden="true"
              style={{
                left: percent(box.x, size.width),
                top: percent(box.y, size.height),
                width: percent(box.width, size.width),
                height: percent(box.height, size.height),
              }}
            />
          )}
        </div>
      </div>
      <div className={styles['foot']}>
        {(canMask || share > 0) && (
          <button type="button" className="button" onClick={() => setIsActive(!isActive)}>
            <Icon name={isActive ? 'check' : 'brush'} />
            {isActive ? 'Mask done' : share > 0 ? 'Change the mask' : 'Paint a mask'}
          </button>
        )}
        <span className="muted" role="status">
          {share > 0
            ? `${share < 0.01 ? 'Less than 1' : Math.round(share * 100)} % is redrawn`
            : isActive
              ? 'Paint over what shall be redrawn'
              : 'The whole picture may change'}
        </span>
      </div>
    </div>
  )
}

/** With Ctrl, as in other editors. */
function useWheelZoom(
  scroller: { current: HTMLElement | null },
  isActive: boolean,
  setZoom: (change: (zoom: number) => number) => void,
): void {
  useEffect(() => {
    const element = scroller.current
    if (!element || !isActive) return undefined
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey) return
      event.preventDefault()
      setZoom((zoom) => Math.min(MAX_ZOOM, Math.max(1, event.deltaY < 0 ? zoom * 2 : zoom / 2)))
    }
    element.addEventListener('wheel', onWheel, { passive: false })
    return () => element.removeEventListener('wheel', onWheel)
  }, [scroller, isActive, setZoom])
}
