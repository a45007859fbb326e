import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { CreateProject, ListAllProjects } from '../api/generated.ts'
import { formatExactTime } from '../format/time.ts'
import { useSession } from '../session/context.ts'
import { CopyButton } from '../ui/copy-button.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import parts from '../ui/parts.module.css'
import { Problem } from '../ui/problem.tsx'
import { useRovingFocus } from '../ui/roving-focus.ts'
import table from '../ui/table.module.css'
import { useList } from '../ui/use-list.ts'

/** For operators. */
export function ProjectsTab({ version }: { version: number }) {
  const { viewer } = useSession()
  const list = useList(
    (connection, after, signal) =>
      connection.read(ListAllProjects, { ...(after !== undefined && { after }) }, signal),
    'projects',
    { version },
  )
  const roving = useRovingFocus<HTMLTableElement>()
  const projects = list.items
  return (
    <>
      {list.error && <Problem error={list.error} onRetry={list.reload} />}
      {!projects && !list.error && <div className={parts['skeleton']} aria-busy="true" />}
      {projects && (
        <div className={table['wrap']}>
          <table className={table['table']} {...roving}>
            <caption className="hidden">Projects, oldest first</caption>
            <thead>
              <tr>
                <th scope="col">Project</th>
                <th scope="col">Id</th>
                <th scope="col">Created</th>
              </tr>
            </thead>
            <tbody>
              {projects.map(({ id, name, createdAt }, index) => (
                <tr key={id} data-project={id} data-roving>
                  <td className={table['main']}>
                    {/* The oldest project is that of operators who chose none. */}
                    <Link to="/access" search={{ project: index === 0 ? undefined : id }}>
                      {name}
                    </Link>
                    {id === viewer.project.id && <span className="muted"> shown now</span>}
                  </td>
                  <td data-label="Id">
                    <CopyButton text={id} what="project id" />
                  </td>
                  <td data-label="Created">{formatExactTime(createdAt)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {list.hasMore && (
        <button type="button" className="button" style={{ marginTop: 16 }} onClick={list.readMore}>
          Show more
        </button>
      )}
    </>
  )
}

export function CreateProjectButton({ onChange }: { onChange: () => void }) {
  const { connection } = useSession()
  const [isOpen, setIsOpen] = useState(false)
  const [name, setName] = useState('')

  async function create(): Promise<void> {
    await connection.change(CreateProject, { input: { name: name.trim() } })
    setName('')
    onChange()
  }

  return (
    <>
      <button type="button" className="button primary" onClick={() => setIsOpen(true)}>
        <Icon name="plus" /> Create a project
      </button>
      {isOpen && (
        <FormDialog
          title="Create a project"
          action="Create"
          isReady={name.trim() !== ''}
          onSubmit={create}
          onClose={() => setIsOpen(false)}
        >
          <p className="muted">
            Its keys, tasks, images and webhooks are invisible to other projects. Choose it in the header to
            work in it.
          </p>
          <label className="label">
            Name
            <input
              className="field"
              required
              maxLength={100}
              value={name}
              onChange={({ target }) => setName(target.value)}
            />
          </label>
        </FormDialog>
      )}
    </>
  )
}
