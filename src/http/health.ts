import type { HttpRoute } from './app.ts'

/** `/livez`: the process runs, `/readyz`: it can do work. */
export function createHealthRoute(findProblem: () => Promise<string | undefined>): HttpRoute {
  return async (request) => {
    const { pathname } = new URL(request.url)
    if (pathname !== '/livez' && pathname !== '/readyz') return undefined
    const problem = pathname === '/readyz' ? await findProblem() : undefined
    if (problem === undefined) return Response.json({ status: 'ok' })
    return Response.json({ status: 'unavailable', problem }, { status: 503, headers: { 'retry-after': '5' } })
  }
}
