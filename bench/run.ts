// How fast it is, beside what bounds it: `npm run bench`, or `npm run bench -- --only mutation`. With `--profile folder`
// every process under measurement leaves a CPU profile there, and the figures are those of a profiled one. `--minutes` is
// how long calls are kept in flight, one by default; `--millions` is how many attempts reports are read over, one by default.
import { execFile } from 'node:child_process'
import { cpus, totalmem, type } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs, styleText } from 'node:util'
import { database } from './database.ts'
import { delivery } from './delivery.ts'
import { duckMissing } from './duckdb.ts'
import { flight } from './flight.ts'
import { limits } from './limits.ts'
import { memory } from './memory.ts'
import { mutation } from './mutation.ts'
import { painter } from './painter.ts'
import { report } from './report.ts'
import { render } from './table.ts'

const TOPICS: Readonly<Record<string, () => Promise<string>>> = {
  mutation: async () => render(await mutation()),
  limits: async () => render(await limits()),
  delivery: async () => render(await delivery()),
  memory: async () => render(await memory()),
  painter: async () => render(await painter()),
  database: async () => render(await database()),
  async report() {
    if (duckMissing) return `${styleText('bold', 'report')}  ${duckMissing}\n`
    // Minutes lie between the two.
    console.log(render(await report('SQLite', millions)))
    return render(await report('PostgreSQL', millions))
  },
  spill,
  flight: () => flight(minutes),
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    profile: { type: 'string' },
    minutes: { type: 'string', default: '1' },
    millions: { type: 'string', default: '1' },
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
if (values.profile !== undefined) process.env['BENCH_PROFILE'] = resolve(values.profile)
const names = values.only ?? Object.keys(TOPICS)
const unknown = names.filter((name) => !Object.hasOwn(TOPICS, name))
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')} to measure; there are ${Object.keys(TOPICS).join(', ')}.`)
  process.exit(64)
}

console.log(`\n${styleText('bold', 'Darkroom, measured')}  ${styleText('dim', machine())}`)
console.log(
  styleText(
    'dim',
    "Both sides in turns, medians over the rounds; the ratio is the median of the rounds' own. Less is better throughout.\n" +
      'Absolute figures belong to this machine and this hour: compare ratios.\n',
  ),
)
for (const name of names) console.log(await TOPICS[name]?.())
console.log(styleText('dim', `${Math.round(performance.now() / 1000)} s`))

/** A measurement with a limit of its own, which it fails at. */
async function spill(): Promise<string> {
  const title = styleText(
    'bold',
    'spill · large pictures in replies and in streams, decoded into files, against a limit',
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
