import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { ListAudit, ReadKey, ReadKeyBudgets, RevokeKey, type KeyRow } from '../api/generated.ts'
import { formatExactTime } from '../format/time.ts'
import { useNow } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'
import { NoRight } from '../shell/no-right.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { Facts } from '../ui/facts.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { PageHead } from '../ui/page-head.tsx'
import parts from '../ui/parts.module.css'
import { Problem } from '../ui/problem.tsx'
import { QueryButton } from '../ui/query-button.tsx'
import { useRead } from '../ui/use-read.ts'
import { BudgetCards } from './budget-cards.tsx'
import { Changes } from './changes.tsx'
import { exactOf, keyState, lastUsedText } from './key-state.ts'
import { LimitsCard } from './limits-card.tsx'
import { SCOPES } from './scopes.ts'

export function KeyPage() {
  const { may } = useSession()
  const { id } = useParams({ from: '/access/keys/$id' })
  const missing = (['READ', 'ADMIN'] as const).find((scope) => !may(scope))
  if (missing) return <NoRight scope={missing} text="This key may not manage access" />
  return <KeyView key={id} id={id} />
}

function KeyView({ id }: { id: string }) {
  const { may } = useSession()
  const [version, setVersion] = useState(0)
  const {
    data: key,
    error,
    reload,
  } = useRead(
    async (connection, signal) => asKey(await connection.read(ReadKey, { id }, signal)),
    `key ${id}`,
  )
  const { data: budgets, reload: reloadBudgets } = useRead(
    async (connection, signal) => (await connection.read(ReadKeyBudgets, { id }, signal)).budgets ?? [],
    `budgets of ${id}`,
    { isEnabled: may('REPORT'), refreshMs: REFRESH_MS },
  )
  const onChange = () => {
    setVersion((count) => count + 1)
    reload()
    reloadBudgets()
  }
  const isActive = key?.revokedAt === null
  return (
    <div className={parts['page']}>
      <Link to="/access" className={parts['back']}>
        <Icon name="back" /> Keys
      </Link>
      <PageHead title={key?.name ?? 'Key'} note={key && <State apiKey={key} />}>
        {key && isActive && <Revoke apiKey={key} onChange={onChange} />}
        <QueryButton
          queries={[
            { text: 'Key', document: ReadKey, variables: { id } },
            ...(may('REPORT') ? [{ text: 'Budgets', document: ReadKeyBudgets, variables: { id } }] : []),
            { text: 'Changes', document: ListAudit, variables: { subject: id } },
          ]}
        />
      </PageHead>
      {error && <Problem error={error} onRetry={reload} />}
      {!key && !error && <div className={parts['skeleton']} aria-busy="true" />}
      {key && (
        <>
          <div className={parts['cards']}>
            <About apiKey={key} />
            <LimitsCard
              title="Limits of this key"
              note="Besides those of its project: a request must keep both."
              owner={id}
              limits={key.limits}
              canChange={isActive}
              removal={
                key.limits
                  ? { text: 'Remove all', effect: 'Only the limits of the project apply to this key then.' }
                  : undefined
              }
              onChange={onChange}
            />
          </div>
          {budgets && (
            <section className={parts['section']} aria-labelledby="budgets-title">
              <h2 id="budgets-title">Budgets</h2>
              <BudgetCards owner={id} budgets={budgets} canChange={isActive} onChange={onChange} />
            </section>
          )}
          <Changes subject={id} version={version} />
        </>
      )}
    </div>
  )
}

const REFRESH_MS = 10_000

/** An id of something else has no fields of a key. */
function asKey(node: Partial<KeyRow>): KeyRow {
  if (node.id === undefined) throw new Error('There is no key with this id.')
  return node as KeyRow
}

function State({ apiKey }: { apiKey: KeyRow }) {
  const { text, tone } = keyState(apiKey, useNow(30_000))
  return (
    <span
      className={tone === 'off' ? undefined : parts[tone]}
      title={exactOf(apiKey.revokedAt ?? apiKey.expiresAt)}
    >
      {text}
    </span>
  )
}

function About({ apiKey }: { apiKey: KeyRow }) {
  const { viewer } = useSession()
  const now = useNow(30_000)
  const { id, prefix, scopes, createdAt, expiresAt, lastUsedAt } = apiKey
  return (
    <section className={parts['card']} aria-labelledby="about-title">
      <h2 id="about-title">Key</h2>
      <Facts
        facts={[
          ['Starts with', <span className="mono">{prefix}…</span>],
          ['Id', <CopyButton text={id} what="key id" />],
          [
            'May',
            SCOPES.filter(({ scope }) => scopes.includes(scope)).map(({ scope, text, note }) => (
              <span key={scope} className={parts['line']}>
                {text} <span className={parts['second']}>{note}</span>
              </span>
            )),
          ],
          ['Last used', <span title={exactOf(lastUsedAt)}>{lastUsedText(apiKey, now)}</span>],
          ['Created', formatExactTime(createdAt)],
          ['Expires', expiresAt === null ? 'never' : formatExactTime(expiresAt)],
          [
            'Tasks',
            <Link to="/" search={{ key: id }}>
              made with this key
            </Link>,
          ],
          ['Session', viewer.apiKey?.prefix === prefix ? 'This page uses this key.' : undefined],
        ]}
      />
    </section>
  )
}

function Revoke({ apiKey, onChange }: { apiKey: KeyRow; onChange: () => void }) {
  const { connection, viewer } = useSession()
  const [isOpen, setIsOpen] = useState(false)
  const [typed, setTyped] = useState('')
  const { id, name, prefix } = apiKey

  async function revoke(): Promise<void> {
    await connection.change(RevokeKey, { id }, true)
    onChange()
  }

  return (
    <>
      <button type="button" className="button" onClick={() => setIsOpen(true)}>
        <Icon name="stop" /> Revoke
      </button>
      {isOpen && (
        <FormDialog
          title={`Revoke “${name}”`}
          action="Revoke"
          isReady={typed.trim() === name}
          onSubmit={revoke}
          onClose={() => {
            setIsOpen(false)
            setTyped('')
          }}
        >
          <p>
            Programs with this key are refused and disconnected within 5 seconds. Running tasks go on. This
            cannot be undone.
          </p>
          {viewer.apiKey?.prefix === prefix && (
            <p className={parts['warn']}>This page uses this key: you will be signed out.</p>
          )}
          <label className="label">
            Type the name to confirm
            <input
              className="field"
              required
              autoComplete="off"
              value={typed}
              onChange={({ target }) => setTyped(target.value)}
            />
          </label>
        </FormDialog>
      )}
    </>
  )
}
