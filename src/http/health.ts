/** Says whether this process should be given work. */
export interface Health {
  /** What keeps it from working, as a sentence; undefined when nothing does. */
  problem(): Promise<string | undefined>
}

/** `/livez`: the process answers. `/readyz`: it can also do its work. Undefined for every other path. */
export async function answerHealth(request: Request, health: Health): Promise<Response | undefined> {
  const { pathname } = new URL(request.url)
  if (pathname === '/livez') return Response.json({ status: 'ok' })
  if (pathname !== '/readyz') return undefined
  const problem = await health.problem()
  return problem === undefined
    ? Response.json({ status: 'ok' })
    : Response.json({ status: 'unavailable', problem }, { status: 503, headers: { 'retry-after': '5' } })
}
