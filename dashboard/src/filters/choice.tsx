import styles from './fields.module.css'

interface ChoiceProps {
  label: string
  value: string | undefined
  options: readonly string[]
  textOf?: (option: string) => string
  /** Undefined for any. */
  onChange: (value: string | undefined) => void
}

/** One of several values, or any. A value of the address that is no option stays selectable. */
export function Choice({ label, value, options, textOf = String, onChange }: ChoiceProps) {
  const all = value === undefined || options.includes(value) ? options : [value, ...options]
  return (
    <select
      className={`field ${styles['choice']}`}
      aria-label={label}
      value={value ?? ''}
      onChange={({ target }) => onChange(target.value || undefined)}
    >
      <option value="">Any {label.toLowerCase()}</option>
      {all.map((one) => (
        <option key={one} value={one}>
          {textOf(one)}
        </option>
      ))}
    </select>
  )
}
