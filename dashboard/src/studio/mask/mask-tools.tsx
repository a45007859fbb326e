import { useRef, useState } from 'react'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { NumberField } from '../field.tsx'
import styles from './mask-tools.module.css'
import type { MaskState, Stroke } from './strokes.ts'

export type Tool = 'brush' | 'eraser' | 'rectangle' | 'ellipse' | 'hand'

const TOOLS: readonly { tool: Tool; text: string; icon: IconName }[] = [
  { tool: 'brush', text: 'Brush', icon: 'brush' },
  { tool: 'eraser', text: 'Eraser', icon: 'eraser' },
  { tool: 'rectangle', text: 'Rectangle', icon: 'rectangle' },
  { tool: 'ellipse', text: 'Ellipse', icon: 'ellipse' },
  { tool: 'hand', text: 'Move the picture', icon: 'hand' },
]
export const MIN_BRUSH_PX = 2
export const MAX_BRUSH_PX = 512

interface MaskToolsProps {
  size: { width: number; height: number }
  state: MaskState
  tool: Tool
  setTool: (tool: Tool) => void
  brushSize: number
  setBrushSize: (size: number) => void
  zoom: number
  setZoom: (zoom: number) => void
  apply: (stroke: Stroke) => void
  onUndo: () => void
  onRedo: () => void
  onImport: (file: File) => void
  onExport: () => void
}

export function MaskTools(props: MaskToolsProps) {
  const { size, state, tool, setTool, brushSize, setBrushSize, zoom, setZoom, apply } = props
  const picker = useRef<HTMLInputElement>(null)
  return (
    <div className={styles['tools']} role="group" aria-label="Mask tools">
      <div className={styles['row']}>
        <div className={styles['group']} role="group" aria-label="Tool">
          {TOOLS.map((one) => (
            <ToolButton
              key={one.tool}
              icon={one.icon}
              text={one.text}
              isPressed={one.tool === tool}
              onClick={() => setTool(one.tool)}
            />
          ))}
        </div>
        <div className={styles['group']}>
          <ToolButton icon="undo" text="Undo" isDisabled={state.done.length === 0} onClick={props.onUndo} />
          <ToolButton icon="redo" text="Redo" isDisabled={state.undone.length === 0} onClick={props.onRedo} />
          <ToolButton icon="invert" text="Invert" onClick={() => apply({ kind: 'invert' })} />
          <ToolButton icon="cross" text="Clear" onClick={() => apply({ kind: 'clear' })} />
        </div>
        <div className={styles['group']}>
          <button
            type="button"
            className={styles['tool']}
            aria-label="Zoom out"
            disabled={zoom <= 1}
            onClick={() => setZoom(zoom / 2)}
          >
            −
          </button>
          <button
            type="button"
            className={styles['zoom']}
            aria-label={`Zoom ${zoom * 100} %. Fit`}
            onClick={() => setZoom(1)}
          >
            {zoom === 1 ? 'Fit' : `${zoom} ×`}
          </button>
          <button
            type="button"
            className={styles['tool']}
            aria-label="Zoom in"
            disabled={zoom >= MAX_ZOOM}
            onClick={() => setZoom(zoom * 2)}
          >
            +
          </button>
        </div>
        <div className={styles['group']}>
          <button type="button" className={styles['text']} onClick={() => picker.current?.click()}>
            Import
          </button>
          <button type="button" className={styles['text']} onClick={props.onExport}>
            Export
          </button>
          <input
            ref={picker}
            type="file"
            className="hidden"
            tabIndex={-1}
            aria-label="Mask file"
            accept="image/png"
            onChange={({ target }) => {
              const file = target.files?.[0]
              if (file) props.onImport(file)
              target.value = ''
            }}
          />
        </div>
      </div>
      {(tool === 'brush' || tool === 'eraser') && (
        <label className={styles['brush']}>
          <span>Size</span>
          <input
            type="range"
            min={MIN_BRUSH_PX}
            max={MAX_BRUSH_PX}
            value={brushSize}
            aria-valuetext={`${brushSize} pixels`}
            onChange={({ target }) => setBrushSize(Number(target.value))}
          />
          <span className="muted">{brushSize} px</span>
        </label>
      )}
      {(tool === 'rectangle' || tool === 'ellipse') && <Numbers size={size} tool={tool} apply={apply} />}
    </div>
  )
}

export const MAX_ZOOM = 8

/** A shape without a pointer. */
function Numbers({
  size,
  tool,
  apply,
}: Pick<MaskToolsProps, 'size' | 'apply'> & { tool: 'rectangle' | 'ellipse' }) {
  const [box, setBox] = useState({
    x: Math.round(size.width / 4),
    y: Math.round(size.height / 4),
    width: Math.round(size.width / 2),
    height: Math.round(size.height / 2),
  })
  const field = (name: keyof typeof box, text: string, label: string, max: number) => (
    <label className={styles['number']}>
      <span aria-hidden="true">{text}</span>
      <NumberField
        label={label}
        value={box[name]}
        min={name === 'x' || name === 'y' ? 0 : 1}
        max={max}
        onChange={(value) => setBox({ ...box, [name]: value ?? 0 })}
      />
    </label>
  )
  const isEmpty = box.width < 1 || box.height < 1 || box.x >= size.width || box.y >= size.height
  return (
    <form
      className={styles['numbers']}
      onSubmit={(event) => {
        event.preventDefault()
        if (!isEmpty) apply({ kind: tool, ...box })
      }}
    >
      {field('x', 'X', 'Left edge in pixels', size.width - 1)}
      {field('y', 'Y', 'Top edge in pixels', size.height - 1)}
      {field('width', 'W', 'Width of the shape in pixels', size.width)}
      {field('height', 'H', 'Height of the shape in pixels', size.height)}
      <button type="submit" className="button" disabled={isEmpty}>
        Add {tool}
      </button>
    </form>
  )
}

interface ToolButtonProps {
  icon: IconName
  text: string
  isPressed?: boolean
  isDisabled?: boolean
  onClick: () => void
}

function ToolButton({ icon, text, isPressed, isDisabled, onClick }: ToolButtonProps) {
  return (
    <button
      type="button"
      className={styles['tool']}
      title={text}
      aria-label={text}
      aria-pressed={isPressed}
      disabled={isDisabled}
      onClick={onClick}
    >
      <Icon name={icon} size={16} />
    </button>
  )
}
