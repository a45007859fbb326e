import { useRef, useState } from 'react'
import { BASE_URL } from '../api/connection.ts'
import { printOperation } from '../api/print-operation.ts'
import { useSession } from '../session/context.ts'
import { Icon } from './icon.tsx'
import styles from './query-button.module.css'

export interface ShownQuery {
  /** Name of what it feeds. */
  text: string
  document: string
  variables?: Readonly<Record<string, unknown>>
}

const SHOWN_MS = 1_500

/** Shows the operations that feed the page, to be copied or opened in GraphiQL. */
export function QueryButton({ queries }: { queries: readonly ShownQuery[] }) {
  const { project } = useSession()
  const dialog = useRef<HTMLDialogElement>(null)
  const [isOpen, setIsOpen] = useState(false)
  const [chosen, setChosen] = useState(0)
  const [copied, setCopied] = useState<string>()
  const query = queries[chosen] ?? queries[0]

  async function copy(what: string, text: string): Promise<void> {
    await navigator.clipboard.writeText(text)
    setCopied(what)
    setTimeout(() => setCopied(undefined), SHOWN_MS)
  }

  const url = new URL('graphql', BASE_URL)
  const text = isOpen && query ? printOperation(query.document, query.variables) : ''
  const curl = isOpen && query ? curlOf(url, query, project) : ''
  return (
    <>
      <button
        type="button"
        className="button"
        onClick={() => {
          setIsOpen(true)
          dialog.current?.showModal()
        }}
      >
        <Icon name="code" /> Query
      </button>
      <dialog
        ref={dialog}
        className={styles['dialog']}
        aria-labelledby="query-title"
        onClose={() => setIsOpen(false)}
      >
        <h2 id="query-title">The GraphQL of this page</h2>
        {queries.length > 1 && (
          <div className={styles['choice']} role="group" aria-label="Operation">
            {queries.map(({ text: name }, index) => (
              <button
                key={name}
                type="button"
                className="chip"
                aria-pressed={index === chosen}
                onClick={() => setChosen(index)}
              >
                {name}
              </button>
            ))}
          </div>
        )}
        <pre className={`mono ${styles['text']}`} tabIndex={0} aria-label="Operation as GraphQL">
          {text}
        </pre>
        <div className={styles['row']}>
          <button type="button" className="button" onClick={() => void copy('graphql', text)}>
            <Icon name={copied === 'graphql' ? 'check' : 'copy'} /> Copy GraphQL
          </button>
          <button type="button" className="button" onClick={() => void copy('curl', curl)}>
            <Icon name={copied === 'curl' ? 'check' : 'copy'} /> Copy curl
          </button>
          <a
            className="button"
            href={`${url.href}?query=${encodeURIComponent(text)}`}
            target="_blank"
            rel="noreferrer"
          >
            Open in GraphiQL
          </a>
          <span className={styles['space']} />
          <button type="button" className="button primary" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </div>
      </dialog>
    </>
  )
}

/** With the key from the environment, never with the key of the page. */
function curlOf(url: URL, { document, variables }: ShownQuery, project: string | undefined): string {
  const body = JSON.stringify({ query: document, ...(variables && { variables }) }).replaceAll(
    "'",
    String.raw`'\''`,
  )
  const isStream = document.startsWith('subscription')
  return [
    `curl ${isStream ? '-N ' : ''}'${url.href}'`,
    `-H "authorization: Bearer $DARKROOM_KEY"`,
    ...(project === undefined ? [] : [`-H 'darkroom-project: ${project}'`]),
    ...(isStream ? [`-H 'accept: text/event-stream'`] : []),
    `-H 'content-type: application/json'`,
    `-d '${body}'`,
  ].join(' \\\n  ')
}
