/** `model`: from the path. */
export type Target =
  | { is: 'CREATE'; operation: 'GENERATE' | 'EDIT'; model: string | null; isAsync: boolean }
  | { is: 'MODELS' }
  | { is: 'MODEL'; id: string }
  | { is: 'TASK' | 'EVENTS' | 'CANCEL'; id: string }
  | { is: 'RETIRED' }
  | { is: 'UNKNOWN' }

/** Also for paths that it does not serve. */
export function isRestPath(path: string): boolean {
  return /^\/+(?:v1|openai|images|models)(?:\/|$)/.test(path)
}

const CREATE = { generations: 'GENERATE', edits: 'EDIT' } as const

export function methodsOf({ is }: Target): readonly string[] {
  if (is === 'CREATE' || is === 'CANCEL' || is === 'RETIRED') return ['POST']
  return ['GET', 'HEAD']
}

/** Prefix /v1, /openai/v1, /openai/deployments/{model} (Azure) or none: SDKs append to any base URL. */
export function readPath(path: string): Target {
  const folded = `/${path.split('/').filter(Boolean).join('/')}`
  const [, deployment, rest = ''] =
    /^(?:\/v1|\/openai\/v1|\/openai\/deployments\/([^/]+)|)(\/.*)$/.exec(folded) ?? []
  const [, first = '', second = '', third = '', fourth = '', ...more] = rest.split('/')
  if (more.length > 0) return UNKNOWN
  if (first === 'images' && second === 'tasks' && third !== '') return taskOf(third, fourth)
  if (fourth !== '') return UNKNOWN
  if (first === 'models' && third === '') return second === '' ? { is: 'MODELS' } : modelOf(second)
  if (first !== 'images') return UNKNOWN
  if (second === 'variations' && third === '') return { is: 'RETIRED' }
  if (second !== 'generations' && second !== 'edits') return UNKNOWN
  if (third !== '' && third !== 'async') return UNKNOWN
  const model = deployment === undefined ? null : decode(deployment)
  if (model === undefined) return UNKNOWN
  return { is: 'CREATE', operation: CREATE[second], model, isAsync: third === 'async' }
}

const UNKNOWN: Target = { is: 'UNKNOWN' }

function taskOf(id: string, action: string): Target {
  if (action === '') return { is: 'TASK', id }
  if (action === 'events') return { is: 'EVENTS', id }
  return action === 'cancel' ? { is: 'CANCEL', id } : UNKNOWN
}

function modelOf(encoded: string): Target {
  const id = decode(encoded)
  return id === undefined ? UNKNOWN : { is: 'MODEL', id }
}

/** Undefined for an invalid escape. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

export function unknownUrlMessage(path: string): string {
  const shown = path.slice(0, 200)
  if (/^\/+v1\/+v1(?:\/|$)/.test(path))
    return `There is nothing at ${shown}: the base URL of the client ends with /v1 twice.`
  if (/\/(?:responses|chat\/completions|completions|embeddings)\/?$/.test(path))
    return `There is nothing at ${shown}: this server makes images only. Use /v1/images/generations or /v1/images/edits.`
  return (
    `There is nothing at ${shown}. The paths are /v1/images/generations, /v1/images/edits, /v1/images/tasks/{id}, ` +
    '/v1/models and /v1/models/{id}.'
  )
}
