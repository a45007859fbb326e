import { useEffect, useRef } from 'react'
import styles from './prompt-box.module.css'

interface PromptBoxProps {
  prompt: string
  setPrompt: (prompt: string) => void
  maxLength: number
  isEdit: boolean
}

/** From this share of the maximum on, the length is shown. */
const SHOWN_FROM = 0.8

export function PromptBox({ prompt, setPrompt, maxLength, isEdit }: PromptBoxProps) {
  const field = useRef<HTMLTextAreaElement>(null)
  const length = Array.from(prompt).length
  useEffect(() => {
    field.current?.focus({ preventScroll: true })
  }, [])
  return (
    <div className={styles['box']}>
      <textarea
        ref={field}
        className={styles['prompt']}
        rows={3}
        aria-label="Prompt"
        placeholder={
          isEdit
            ? 'What to change: a lantern in the window, at night'
            : 'A lighthouse at dusk, waves below, warm light'
        }
        value={prompt}
        onChange={({ target }) => setPrompt(target.value)}
      />
      {length > maxLength * SHOWN_FROM && (
        <span className={styles['length']} data-over={length > maxLength || undefined}>
          {length.toLocaleString('en')} of {maxLength.toLocaleString('en')} characters
        </span>
      )}
    </div>
  )
}
