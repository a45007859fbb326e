// Rows of the other lists, for the tasks of `filter-rows.ts`: as many of each, computed from a number.
import { DEFAULT_PROJECT } from '../src/db/access/projects.ts'
import { FROM, TO } from './days.ts'

/** Has all its attempts in need of review, without a price. */
export const REVIEWED = 'prj_reviewed'
export const TASK_OF_EVENTS = `task_${'0'.repeat(26)}`
export const MIDDLE = (FROM + TO) / 2
const EVENTS = 10_000

type Pad = (n: string) => string

/** `numbers`: a table expression of `n` from 0. `pad` makes ids of equal length. */
export function otherRows(rows: number, numbers: (count: number) => string, pad: Pad): string[] {
  const at = `(${FROM} + (n * ${TO - FROM}) / ${rows})`
  const id = (prefix: string) => `'${prefix}_' || ${pad('n')}`
  const project = `'${DEFAULT_PROJECT}'`
  const insert = (table: string, columns: Record<string, string>, count = rows) =>
    `insert into ${table} (${Object.keys(columns).join()}) select ${Object.values(columns).join()} from ${numbers(count)}`
  const hash = `'${'a'.repeat(64)}'`
  return [
    insert('assets', {
      id: id('img'),
      project_id: project,
      task_id: id('task'),
      kind: `case when n % 1000 = 0 then 'MASK' when n % 5 = 0 then 'INPUT' else 'FINAL' end`,
      position: '0',
      sha256: hash,
      byte_size: '1',
      mime_type: `'image/png'`,
      width: '1',
      height: '1',
      created_at: at,
    }),
    ...['one', 'two'].map(
      (name) =>
        `insert into webhook_endpoints (id, project_id, url, events, secret, created_at) values ('wh_${name}', ${project}, 'https://example.test/', '[]', 's', 0)`,
    ),
    insert('webhook_deliveries', {
      id: id('whd'),
      project_id: project,
      endpoint_id: `case when n % 500 = 0 then 'wh_two' else 'wh_one' end`,
      task_id: id('task'),
      seq: '1',
      event: `'TASK_SUCCEEDED'`,
      url: `'https://example.test/'`,
      slot: `'wh_one'`,
      payload: `'{}'`,
      // The failed ones are old.
      state: `case when n < 300 then 'FAILED' else 'SUCCEEDED' end`,
      next_at: '0',
      created_at: at,
      finished_at: at,
    }),
    insert('audit_log', {
      id: id('aud'),
      project_id: `case when n % 5000 = 0 then 'prj_rare' else ${project} end`,
      at,
      action: `'createApiKey'`,
      subject: `'key_' || (n % 5000)`,
      detail: `'{}'`,
    }),
    insert('projects', { id: `'prj_' || ${pad('n + 1')}`, name: `'p'`, created_at: at }),
    insert('api_keys', {
      id: id('key'),
      project_id: project,
      name: `'k'`,
      handle: id('handle'),
      secret_sha256: hash,
      scopes: `'[]'`,
      created_at: at,
      revoked_at: `case when n % 5000 > 0 then ${at} end`,
    }),
    insert(
      'task_events',
      {
        task_id: `'${TASK_OF_EVENTS}'`,
        seq: 'n',
        project_id: project,
        feed_seq: 'n',
        body: `'{"type":"TASK_STARTED"}'`,
        at: `${FROM} + n`,
      },
      EVENTS,
    ),
    insert('attempts', {
      id: id('unpriced'),
      // No task's class changes.
      task_id: `'none'`,
      project_id: `'${REVIEWED}'`,
      number: 'n + 1',
      provider: `case when n % 5000 = 0 then 'rare' else 'provider-' || (n % 6) end`,
      model: `'m'`,
      state: `'SUCCEEDED'`,
      charged: `'YES'`,
      run_after: '0',
      created_at: at,
      sent_at: at,
      finished_at: at,
    }),
  ]
}
