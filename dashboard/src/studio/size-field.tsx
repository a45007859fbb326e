import { useState, type ReactNode } from 'react'
import { Field, NumberField, Segments } from './field.tsx'
import styles from './size-field.module.css'
import type { Rules } from './rules.ts'
import type { StudioSettings } from './settings.ts'
import { parseSize } from './sizes.ts'

const CUSTOM = 'custom'
/** Of the longer edge of a glyph. */
const GLYPH_PX = 18

interface SizeFieldProps {
  rules: Rules
  settings: StudioSettings
  change: (part: Partial<StudioSettings>) => void
}

export function SizeField({ rules, settings: { size }, change }: SizeFieldProps) {
  const { options, limits, rule } = rules.size
  const isOffered = options.some(({ value }) => value === size)
  const [isOpen, setIsOpen] = useState(false)
  const isCustom = limits !== null && (isOpen || !isOffered)
  const parsed = parseSize(size) ?? { width: 1024, height: 1024 }
  const all = limits ? [...options, { value: CUSTOM, providers: undefined }] : options

  function choose(value: string): void {
    setIsOpen(value === CUSTOM)
    if (value !== CUSTOM) change({ size: value })
    else if (size === 'auto') change({ size: '1024x1024' })
  }

  return (
    <Field
      label="Size"
      hint={size === 'auto' ? 'chosen by the provider' : size.replace('x', ' × ')}
      impossible={rules.impossible.find(({ name }) => name === 'size')}
      onChange={change}
    >
      <Segments
        name="size"
        value={isCustom ? CUSTOM : size}
        options={all}
        onChange={choose}
        glyph={(value) => <Glyph size={value} />}
        text={textOf}
      />
      {isCustom && (
        <div className={styles['custom']}>
          <NumberField
            label="Width in pixels"
            value={parsed.width}
            min={limits.multipleOf}
            max={limits.maxEdge}
            step={limits.multipleOf}
            onChange={(width) => change({ size: `${width ?? 1}x${parsed.height}` })}
          />
          <span className="muted">×</span>
          <NumberField
            label="Height in pixels"
            value={parsed.height}
            min={limits.multipleOf}
            max={limits.maxEdge}
            step={limits.multipleOf}
            onChange={(height) => change({ size: `${parsed.width}x${height ?? 1}` })}
          />
        </div>
      )}
      {isCustom && <p className={styles['rule']}>{rule.replace(/^auto, or /, '')}</p>}
    </Field>
  )
}

/** The glyph shows the shape of the larger ones. */
function textOf(value: string): ReactNode {
  if (value === CUSTOM) return 'Custom'
  const size = parseSize(value)
  if (!size) return 'Auto'
  const { width, height } = size
  const long = Math.max(width, height)
  const shape = width === height ? 'Square' : width > height ? 'Wide' : 'Tall'
  if (long >= 2048)
    return (
      <>
        {Math.round(long / 960)}K
        <span className="hidden">
          {shape}, {width} × {height}
        </span>
      </>
    )
  return width === height && width !== 1024 ? String(width) : shape
}

/** The shape of a size. */
function Glyph({ size }: { size: string }) {
  const parsed = parseSize(size)
  const long = parsed ? Math.max(parsed.width, parsed.height) : 1
  const width = parsed ? (parsed.width / long) * GLYPH_PX : GLYPH_PX - 3
  const height = parsed ? (parsed.height / long) * GLYPH_PX : GLYPH_PX - 3
  return (
    <span className={styles['box']} aria-hidden="true">
      <i className={styles['glyph']} data-dashed={parsed ? undefined : true} style={{ width, height }} />
    </span>
  )
}
