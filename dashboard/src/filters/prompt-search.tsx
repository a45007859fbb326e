import { useEffect, useState } from 'react'
import { Icon } from '../ui/icon.tsx'
import styles from './fields.module.css'

interface PromptSearchProps {
  value: string | undefined
  /** On Enter, and when the field is cleared; undefined without words. */
  onChange: (value: string | undefined) => void
}

export function PromptSearch({ value, onChange }: PromptSearchProps) {
  const [text, setText] = useState(value ?? '')
  useEffect(() => setText(value ?? ''), [value])
  return (
    <form
      className={styles['search']}
      onSubmit={(event) => {
        event.preventDefault()
        onChange(text.trim() || undefined)
      }}
    >
      <Icon name="search" size={15} />
      <input
        type="search"
        className="field"
        placeholder="Words of the prompt"
        aria-label="Find by words of the prompt"
        value={text}
        onChange={({ target }) => {
          setText(target.value)
          if (target.value === '' && value !== undefined) onChange(undefined)
        }}
      />
    </form>
  )
}
