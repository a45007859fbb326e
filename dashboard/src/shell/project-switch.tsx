import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { ListProjects } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import styles from './shell.module.css'

interface Project {
  id: string
  name: string
}

/** The project whose data is shown. Operators choose it, once there are several. */
export function ProjectSwitch() {
  const { viewer, connection } = useSession()
  const navigate = useNavigate()
  const [projects, setProjects] = useState<readonly Project[]>([])
  useEffect(() => {
    if (!viewer.isOperator) return undefined
    const abort = new AbortController()
    const read = async () => setProjects((await connection.read(ListProjects, {}, abort.signal)).nodes)
    void read().catch(() => {})
    return () => abort.abort()
  }, [connection, viewer])

  const { id, name } = viewer.project
  if (projects.length < 2)
    return (
      <span className={styles['project']} title={`Project ${id}`}>
        {name}
      </span>
    )
  // The oldest project is that of operators who chose none.
  const own = projects[0]?.id
  return (
    <select
      className={styles['project']}
      aria-label="Project"
      title={`Project ${id}`}
      value={id}
      onChange={({ target }) =>
        void navigate({
          to: '.',
          search: (last) => ({ ...last, project: target.value === own ? undefined : target.value }),
        })
      }
    >
      {projects.map((project) => (
        <option key={project.id} value={project.id}>
          {project.name}
        </option>
      ))}
    </select>
  )
}
