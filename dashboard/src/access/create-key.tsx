import { useState } from 'react'
import { BASE_URL, createConnection } from '../api/connection.ts'
import { CreateKey, ReadViewer, type Scope } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import { CopyText } from '../ui/copy-text.tsx'
import { FormDialog, OpenDialog } from '../ui/form-dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import parts from '../ui/parts.module.css'
import { Secret } from '../ui/secret.tsx'
import { SCOPES, scopesText } from './scopes.ts'

const DAY_MS = 24 * 3_600_000
const LIFETIMES = [
  { days: 0, text: 'Never' },
  { days: 30, text: 'In 30 days' },
  { days: 90, text: 'In 90 days' },
  { days: 365, text: 'In a year' },
] as const

/** A button, the form that it opens, and the new key, which is shown once. */
export function CreateKeyButton({ onChange }: { onChange: () => void }) {
  const [isOpen, setIsOpen] = useState(false)
  const [created, setCreated] = useState<{ name: string; secret: string }>()
  return (
    <>
      <button type="button" className="button primary" onClick={() => setIsOpen(true)}>
        <Icon name="plus" /> Create a key
      </button>
      {isOpen && (
        <CreateKeyForm
          onCreate={(name, key) => {
            setCreated({ name, secret: key })
            onChange()
          }}
          onClose={() => setIsOpen(false)}
        />
      )}
      {created && <CreatedKey {...created} onClose={() => setCreated(undefined)} />}
    </>
  )
}

interface CreateKeyFormProps {
  onCreate: (name: string, key: string) => void
  onClose: () => void
}

function CreateKeyForm({ onCreate, onClose }: CreateKeyFormProps) {
  const { connection } = useSession()
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<readonly Scope[]>(['READ', 'GENERATE'])
  const [days, setDays] = useState(0)

  async function create(): Promise<void> {
    const expiresAt = days === 0 ? null : new Date(Date.now() + days * DAY_MS).toISOString()
    const input = { name: name.trim(), scopes: [...scopes], expiresAt }
    const { key } = await connection.change(CreateKey, { input })
    onCreate(name.trim(), key)
  }

  const toggle = (scope: Scope) =>
    setScopes(
      SCOPES.flatMap((one) => (scopes.includes(one.scope) === (one.scope === scope) ? [] : [one.scope])),
    )

  return (
    <FormDialog
      title="Create a key"
      action="Create"
      isReady={name.trim() !== '' && scopes.length > 0}
      onSubmit={create}
      onClose={onClose}
    >
      <label className="label">
        Name
        <input
          className="field"
          required
          maxLength={100}
          placeholder="shop"
          value={name}
          onChange={({ target }) => setName(target.value)}
        />
      </label>
      <fieldset>
        <legend>It may</legend>
        {SCOPES.map(({ scope, text, note }) => (
          <label key={scope} className={parts['check']}>
            <input type="checkbox" checked={scopes.includes(scope)} onChange={() => toggle(scope)} />
            <span>
              {text}
              <span className={parts['second']}>{note}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <label className="label">
        Expires
        <select className="field" value={days} onChange={({ target }) => setDays(Number(target.value))}>
          {LIFETIMES.map((one) => (
            <option key={one.days} value={one.days}>
              {one.text}
            </option>
          ))}
        </select>
      </label>
      <p className="muted">Rights and expiry cannot be changed later. Budgets and limits can.</p>
    </FormDialog>
  )
}

interface CreatedKeyProps {
  name: string
  secret: string
  onClose: () => void
}

function CreatedKey({ name, secret, onClose }: CreatedKeyProps) {
  return (
    <OpenDialog title={`The key “${name}” was created`} onClose={onClose} isKept>
      <p>Store it now. It is shown once: Darkroom keeps only a hash of it.</p>
      <Secret text={secret} label="New API key" />
      <TestCall secret={secret} />
      <div className={parts['row']}>
        <button type="button" className="button primary" onClick={onClose}>
          I have stored it
        </button>
      </div>
    </OpenDialog>
  )
}

/** Uses the new key at once, in the browser or in a terminal. */
function TestCall({ secret }: { secret: string }) {
  const [result, setResult] = useState<{ text: string; isGood: boolean }>()
  const [isBusy, setIsBusy] = useState(false)

  async function call(): Promise<void> {
    setIsBusy(true)
    const connection = createConnection(secret)
    try {
      const { scopes, project } = await connection.read(ReadViewer, {})
      setResult({ text: `It works: ${scopesText(scopes)}, project ${project.name}.`, isGood: true })
    } catch (error) {
      setResult({ text: (error as Error).message, isGood: false })
    } finally {
      connection.close()
      setIsBusy(false)
    }
  }

  return (
    <>
      <div className={parts['row']}>
        <button type="button" className="button" disabled={isBusy} onClick={() => void call()}>
          Try it
        </button>
        <CopyText text={curlOf(new URL('graphql', BASE_URL))} label="Copy a curl command" />
      </div>
      <p role="status" className={result && parts[result.isGood ? 'good' : 'bad']}>
        {result?.text}
      </p>
    </>
  )
}

/** With the key from the environment: commands are kept in the history of a shell. */
function curlOf({ href }: URL): string {
  return [
    `curl '${href}'`,
    `-H "authorization: Bearer $DARKROOM_KEY"`,
    `-H 'content-type: application/json'`,
    `-d '{"query":"{ viewer { scopes project { name } } }"}'`,
  ].join(' \\\n  ')
}
