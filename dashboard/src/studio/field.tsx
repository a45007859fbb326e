import { useId, type ReactNode } from 'react'
import { Icon } from '../ui/icon.tsx'
import styles from './field.module.css'
import type { Impossible, Option } from './rules.ts'
import type { StudioSettings } from './settings.ts'
import { wordOf } from './words.ts'

interface FieldProps {
  label: string
  hint?: ReactNode
  /** Marks a value that cannot be used, with the nearest one as a button. */
  impossible?: Impossible | undefined
  onChange: (part: Partial<StudioSettings>) => void
  children: ReactNode
}

/** A setting with its name, and what is wrong with its value. */
export function Field({ label, hint, impossible, onChange, children }: FieldProps) {
  const id = useId()
  return (
    <div className={styles['field']} role="group" aria-labelledby={id} data-impossible={impossible?.name}>
      <div className={styles['head']}>
        <span id={id} className={styles['label']}>
          {label}
        </span>
        {hint !== undefined && <span className={styles['hint']}>{hint}</span>}
      </div>
      {children}
      {impossible && <Mark impossible={impossible} onChange={onChange} />}
    </div>
  )
}

function Mark({
  impossible: { message, nearest, remedy },
  onChange,
}: {
  impossible: Impossible
  onChange: FieldProps['onChange']
}) {
  const [value] = Object.values(nearest)
  return (
    <p className={styles['mark']} role="status">
      <Icon name="warning" />
      <span>{message} It is not sent.</span>
      <button type="button" className={styles['nearest']} onClick={() => onChange(nearest)}>
        {remedy ?? `Use ${wordOf(typeof value === 'object' ? null : value)}`}
      </button>
    </p>
  )
}

interface SegmentsProps<Value extends string | null> {
  name: string
  value: Value
  options: readonly Option<Value>[]
  onChange: (value: Value) => void
  /** Below the word. */
  glyph?: (value: Value) => ReactNode
  text?: (value: Value) => ReactNode
}

/** One of a few values. A value that is not among them is shown as well, marked. */
export function Segments<Value extends string | null>(props: SegmentsProps<Value>) {
  const { name, value, options, onChange, glyph, text = wordOf } = props
  const isKnown = options.some((one) => one.value === value)
  const all = isKnown ? options : [...options, { value, providers: [] }]
  return (
    <div className={styles['segments']} data-glyphs={glyph ? (all.length > 4 ? 'many' : 'few') : undefined}>
      {all.map((option) => (
        <label key={String(option.value)} className={styles['segment']}>
          <input
            type="radio"
            name={name}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span data-unknown={!isKnown && option.value === value ? true : undefined}>
            {glyph?.(option.value)}
            {text(option.value)}
            {option.providers !== undefined && option.providers.length > 0 && (
              <small>{option.providers.join(', ')}</small>
            )}
          </span>
        </label>
      ))}
    </div>
  )
}

interface NumberProps {
  label: string
  value: number | null
  min: number
  max: number
  step?: number
  placeholder?: string
  unit?: string
  onChange: (value: number | null) => void
}

/** Empty is null. */
export function NumberField(props: NumberProps) {
  const { label, value, min, max, step = 1, placeholder, unit, onChange } = props
  return (
    <span className={styles['number']}>
      <input
        type="number"
        className="field"
        aria-label={label}
        inputMode="numeric"
        min={min}
        max={max}
        step={step}
        placeholder={placeholder}
        value={value ?? ''}
        onChange={({ target }) => onChange(target.value === '' ? null : Math.round(Number(target.value)))}
      />
      {unit !== undefined && <span className="muted">{unit}</span>}
    </span>
  )
}

/** A number by its buttons or by the keyboard. */
export function Stepper({ label, value, min, max, onChange }: NumberProps & { value: number }) {
  const set = (next: number) => onChange(Math.min(max, Math.max(min, next)))
  return (
    <span className={styles['stepper']}>
      <button
        type="button"
        aria-label={`Fewer ${label}`}
        disabled={value <= min}
        onClick={() => set(value - 1)}
      >
        −
      </button>
      <output aria-label={label}>{value}</output>
      <button
        type="button"
        aria-label={`More ${label}`}
        disabled={value >= max}
        onClick={() => set(value + 1)}
      >
        +
      </button>
    </span>
  )
}
