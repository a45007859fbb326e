import { Segments } from '../ui/segments.tsx'

const OPTIONS = [
  { value: 's', text: 'S' },
  { value: 'm', text: 'M' },
  { value: 'l', text: 'L' },
] as const

type Size = (typeof OPTIONS)[number]['value']

interface TileSizesProps {
  /** Undefined for the default, which an address leaves out. */
  value: Size | undefined
  onChange: (value: Exclude<Size, 'm'> | undefined) => void
}

export function TileSizes({ value, onChange }: TileSizesProps) {
  return (
    <Segments
      label="Size of the pictures"
      options={OPTIONS}
      value={value ?? 'm'}
      onChange={(size) => onChange(size === 'm' ? undefined : size)}
    />
  )
}
