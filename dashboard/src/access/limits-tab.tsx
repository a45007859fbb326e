import { ReadProjectLimits } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import parts from '../ui/parts.module.css'
import { Problem } from '../ui/problem.tsx'
import { useRead } from '../ui/use-read.ts'
import { Changes } from './changes.tsx'
import { LimitsCard } from './limits-card.tsx'

interface TabProps {
  /** Changes with each change of the page. */
  version: number
  onChange: () => void
}

export function LimitsTab({ version, onChange }: TabProps) {
  const { viewer } = useSession()
  const { data, error, reload } = useRead(
    (connection, signal) => connection.read(ReadProjectLimits, {}, signal),
    'limits',
  )
  const isOwn = data?.limits != null
  return (
    <>
      {error && <Problem error={error} onRetry={reload} />}
      {!data && !error && <div className={parts['skeleton']} aria-busy="true" />}
      {data && (
        <div className={parts['cards']}>
          <LimitsCard
            title="Limits in force"
            note={
              isOwn
                ? 'Limits of this project, for all its keys together.'
                : 'Limits of the configuration. They apply as long as the project has none of its own.'
            }
            owner={data.id}
            limits={data.effectiveLimits}
            canChange={viewer.isOperator}
            removal={
              isOwn
                ? {
                    text: 'Use the configuration',
                    effect: 'The limits of this project end. Those of the configuration apply instead.',
                  }
                : undefined
            }
            onChange={() => {
              reload()
              onChange()
            }}
          />
        </div>
      )}
      <p className="muted" style={{ marginTop: 12 }}>
        {viewer.isOperator ? '' : 'An operator sets the limits of the project. '}A key may have stricter
        limits, on its own page. A request beyond a limit fails with RATE_LIMITED and says when to repeat it.
      </p>
      <Changes subject={viewer.project.id} version={version} />
    </>
  )
}
