// The sources of the last release, from the history of this repository.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** The first commit with all that CHANGELOG.md lists under this version. The next release replaces both. */
export const LAST_RELEASE = { version: '0.2.0', commit: 'c026b3d87171132c7d271ecb8c619aec858274c8' }

const NEEDS =
  `This test runs version ${LAST_RELEASE.version} from the commit ${LAST_RELEASE.commit}, which this clone does not have. ` +
  'It needs git and the history: run `git fetch --unshallow`, or clone without --depth. In GitHub Actions, set `fetch-depth: 0`.'
const MAX_ARCHIVE_BYTES = 64 * 1024 * 1024

export interface Release {
  /** The program of a gateway process, for `startGateway`. */
  entry: string
  remove: () => Promise<void>
}

/** Unpacks the release beside the installed packages. Throws an error that says what is missing. */
export async function unpackRelease(): Promise<Release> {
  const { commit } = LAST_RELEASE
  const isKnown = () =>
    git('cat-file', '-e', `${commit}^{commit}`).then(
      () => true,
      () => false,
    )
  // A shallow clone can fetch one commit.
  if (!(await isKnown())) await git('fetch', '--quiet', '--depth=1', 'origin', commit).catch(() => undefined)
  if (!(await isKnown())) throw new Error(NEEDS)
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-release-'))
  const child = join('test', 'support', 'gateway-child.ts')
  const archive = await git('archive', '--format=tar', commit, 'src', 'drizzle', 'package.json', child)
  const file = join(folder, 'release.tar')
  await writeFile(file, archive)
  await run('tar', ['-xf', file, '-C', folder])
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return { entry: join(folder, child), remove: () => rm(folder, { recursive: true, force: true }) }
}

const ROOT = join(import.meta.dirname, '../..')

async function git(...args: string[]): Promise<Buffer> {
  return run('git', ['-C', ROOT, ...args])
}

async function run(program: string, args: string[]): Promise<Buffer> {
  const options = { encoding: 'buffer', maxBuffer: MAX_ARCHIVE_BYTES } as const
  return (await promisify(execFile)(program, args, options)).stdout
}
