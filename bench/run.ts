// Speed and memory, compared with their limits: `npm run bench`, or `npm run bench -- --only mutation`. With `--profile
// folder` every measured process writes a CPU profile there, which slows it down. `--minutes` is the time of `flight` and `storage`,
// `--millions` the number of attempts of `report` and of tasks of `responsiveness` and
// `filters`; both are 1 by default. `--quick`, `--part`, `--viewers` and `--rounds` shorten `delivery`. README.md says how
// to read the figures.
import { execFile } from 'node:child_process'
import { cpus, totalmem, type } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs, styleText } from 'node:util'
import { cluster } from './cluster.ts'
import { database } from './database.ts'
import { COMPLETE, delivery, PARTS, QUICK } from './delivery.ts'
import { filters } from './filters.ts'
import { flight } from './flight.ts'
import { limits } from './limits.ts'
import { memory } from './memory.ts'
import { mutation } from './mutation.ts'
import { overhead } from './overhead.ts'
import { painter } from './painter.ts'
import { peerMissing } from './peers.ts'
import { report } from './report.ts'
import { responsiveness } from './responsiveness.ts'
import { restMemory } from './rest-memory.ts'
import { rest } from './rest.ts'
import { storage } from './storage.ts'
import { render } from './table.ts'
import { uploads } from './uploads.ts'
import { webhooks } from './webhooks.ts'

const TOPICS: Readonly<Record<string, () => Promise<string>>> = {
  mutation: async () => render(await mutation()),
  limits: async () => render(await limits()),
  delivery: () => delivery(deliveryOptions),
  overhead: async () => render(await overhead()),
  rest,
  'rest-memory': restMemory,
  cluster: async () => render(await cluster()),
  webhooks: async () => render(await webhooks()),
  memory: async () => render(await memory()),
  painter: async () => render(await painter()),
  database: async () => render(await database()),
  async report() {
    const missing = peerMissing('@duckdb/node-api')
    if (missing !== undefined) return `${styleText('bold', 'report')}  ${missing}\n`
    // Printed early, because the next one takes minutes.
    console.log(render(await report('SQLite', millions)))
    return render(await report('PostgreSQL', millions))
  },
  responsiveness: async () => render(await responsiveness(millions)),
  async filters() {
    console.log(render(await filters('SQLite', millions)))
    return render(await filters('PostgreSQL', millions))
  },
  spill,
  uploads,
  flight: () => flight(minutes),
  storage: () => storage(minutes),
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    profile: { type: 'string' },
    minutes: { type: 'string', default: '1' },
    millions: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
    part: { type: 'string', multiple: true },
    viewers: { type: 'string', multiple: true },
    rounds: { type: 'string' },
  },
})
const minutes = Number(values.minutes)
if (!(minutes > 0)) {
  console.error(`--minutes is ${values.minutes}; it must be a number above 0.`)
  process.exit(64)
}
const millions = Number(values.millions)
if (!(millions >= 0.01)) {
  console.error(`--millions is ${values.millions}; it must be a number of at least 0.01.`)
  process.exit(64)
}
const base = values.quick ? QUICK : COMPLETE
const parts = PARTS.filter((part) => values.part?.includes(part) ?? true)
if (values.part && parts.length < new Set(values.part).size) {
  console.error(`--part is ${values.part.join(', ')}; the parts are ${PARTS.join(', ')}.`)
  process.exit(64)
}
const deliveryOptions = {
  ...base,
  parts,
  viewers: values.viewers?.map(Number) ?? base.viewers,
  rounds: values.rounds === undefined ? base.rounds : Number(values.rounds),
}
if (
  ![...deliveryOptions.viewers, deliveryOptions.rounds].every((count) => Number.isInteger(count) && count > 0)
) {
  console.error('--viewers and --rounds must be whole numbers above 0.')
  process.exit(64)
}
if (values.profile !== undefined) process.env['BENCH_PROFILE'] = resolve(values.profile)
const names = values.only ?? Object.keys(TOPICS)
const unknown = names.filter((name) => !Object.hasOwn(TOPICS, name))
if (unknown.length > 0) {
  console.error(`There is no topic ${unknown.join(', ')}. Topics: ${Object.keys(TOPICS).join(', ')}.`)
  process.exit(64)
}

console.log(`\n${styleText('bold', 'Darkroom, measured')}  ${styleText('dim', machine())}`)
console.log(
  styleText(
    'dim',
    'Both sides run in turn. Figures are medians over the rounds, the ratio too. Less is better.\n' +
      'Absolute figures depend on the machine and its load: compare ratios.\n',
  ),
)
for (const name of names) console.log(await TOPICS[name]?.())
console.log(styleText('dim', `${Math.round(performance.now() / 1000)} s`))

/** Sets the exit code when its limit is exceeded. */
async function spill(): Promise<string> {
  const title = styleText(
    'bold',
    'spill · large images in responses and in streams, decoded into files, against a limit',
  )
  const lines = await new Promise<string>((done) => {
    execFile(process.execPath, [join(import.meta.dirname, 'spill.ts')], (error, stdout, stderr) => {
      if (error) process.exitCode = 1
      done(stdout + stderr)
    })
  })
  return `${title}\n${lines.replace(/^(?=.)/gm, '  ')}`
}

function machine(): string {
  const [first] = cpus()
  const size = `${Math.round(totalmem() / 2 ** 30)} GiB`
  return `${cpus().length} × ${first?.model.trim() ?? 'CPU'}, ${size}, ${type()}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`
}
