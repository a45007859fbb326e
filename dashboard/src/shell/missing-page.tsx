import { Link, type ErrorComponentProps } from '@tanstack/react-router'
import { Problem } from '../ui/problem.tsx'

export function MissingPage() {
  return (
    <>
      <title>Not found · Darkroom</title>
      <h1>There is no such page</h1>
      <p>
        <Link to="/">Live</Link>
      </p>
    </>
  )
}

export function PageFailed({ error }: ErrorComponentProps) {
  return <Problem error={error as Error} onRetry={() => location.reload()} />
}
