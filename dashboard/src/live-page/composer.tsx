import { useEffect, useRef, useState, type FormEvent } from 'react'
import { Generate } from '../api/generated.ts'
import { DarkroomError } from '../api/connection.ts'
import { useSession } from '../session/context.ts'
import styles from './composer.module.css'
import { useQuote } from './use-quote.ts'

const EXAMPLES = [
  'a lighthouse at dusk',
  'a red fox in the snow',
  'a wide mountain lake at dawn',
  'a tall portrait of a heron',
]
const SHAPES = [
  { size: 'auto', text: 'Auto' },
  { size: '1024x1024', text: 'Square' },
  { size: '1536x1024', text: 'Wide' },
  { size: '1024x1536', text: 'Tall' },
] as const
/** Previews of each picture: it is seen developing. */
const PARTIAL_IMAGES = 3

/** One prompt, one press, one picture. */
export function Composer({ isFirst }: { isFirst: boolean }) {
  const { connection, store } = useSession()
  const [prompt, setPrompt] = useState('')
  const [size, setSize] = useState<string>('auto')
  const [problem, setProblem] = useState<string>()
  const [isSending, setIsSending] = useState(false)
  /** Of the last press that has no answer: pressed again with the same input, it is the same task. */
  const pending = useRef<{ input: string; key: string }>(undefined)
  const field = useRef<HTMLTextAreaElement>(null)
  const quote = useQuote(prompt, size, PARTIAL_IMAGES)
  useEffect(() => {
    if (isFirst) field.current?.focus({ preventScroll: true })
  }, [isFirst])

  async function send(): Promise<void> {
    const text = prompt.trim()
    if (text === '' || isSending) return
    const input = { prompt: text, size, partialImages: PARTIAL_IMAGES }
    const press = JSON.stringify(input)
    if (pending.current?.input !== press) pending.current = { input: press, key: createKey() }
    setIsSending(true)
    setProblem(undefined)
    try {
      const idempotencyKey = pending.current.key
      const { task } = await connection.change(Generate, { input: { ...input, idempotencyKey } }, true)
      if (task) store.put([task])
      pending.current = undefined
      setPrompt('')
    } catch (error) {
      setProblem((error as Error).message)
      // A refused press cost nothing: the next one is another.
      if (error instanceof DarkroomError && error.charged === 'NO') pending.current = undefined
    } finally {
      setIsSending(false)
      field.current?.focus({ preventScroll: true })
    }
  }

  return (
    <form
      className={styles['composer']}
      data-first={isFirst || undefined}
      onSubmit={(event: FormEvent) => {
        event.preventDefault()
        void send()
      }}
    >
      <div className={styles['box']}>
        <textarea
          ref={field}
          className={styles['prompt']}
          rows={1}
          placeholder={isFirst ? 'A lighthouse at dusk' : 'Describe a picture'}
          aria-label="Prompt"
          value={prompt}
          onChange={({ target }) => setPrompt(target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
            event.preventDefault()
            void send()
          }}
        />
        <div className={styles['controls']}>
          <fieldset className={styles['shapes']}>
            <legend className="hidden">Shape</legend>
            {SHAPES.map((shape) => (
              <label key={shape.size} className={styles['shape']}>
                <input
                  type="radio"
                  name="shape"
                  className="hidden"
                  checked={size === shape.size}
                  onChange={() => setSize(shape.size)}
                />
                <span>{shape.text}</span>
              </label>
            ))}
          </fieldset>
          <span className={styles['cost']} role="status">
            {quote.text}
          </span>
          <button type="submit" className="button primary" disabled={prompt.trim() === '' || isSending}>
            Generate
          </button>
        </div>
      </div>
      {problem !== undefined && (
        <p role="alert" className={styles['problem']}>
          {problem}
        </p>
      )}
      {isFirst && (
        <p className={styles['examples']}>
          <span className="muted">Try</span>
          {EXAMPLES.map((example) => (
            <button
              key={example}
              type="button"
              className={styles['example']}
              onClick={() => {
                setPrompt(example)
                field.current?.focus()
              }}
            >
              {example}
            </button>
          ))}
        </p>
      )}
    </form>
  )
}

/** crypto.randomUUID exists on pages with TLS only. */
function createKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
