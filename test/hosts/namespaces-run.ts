// npm run namespaces: the partitions of hosts, with each host in a network namespace of its own instead of behind proxies.
// Further arguments go to vitest, such as `-- -t clocks`. Needs root, because only root creates network namespaces.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import process from 'node:process'
import { createNamespaces, removeNamespaces } from './namespaces.ts'

const ROOT = join(import.meta.dirname, '../..')

if (process.getuid?.() !== 0 || spawnSync('ip', ['netns', 'list']).status !== 0) {
  process.stderr.write(
    'npm run namespaces needs Linux, root and the command `ip` (Debian: iproute2): it creates network namespaces, two bridges and ' +
      'their links, and removes them at its end. Without them, `npx vitest run test/hosts` cuts proxies instead.\n',
  )
  process.exit(77)
}
removeNamespaces()
try {
  createNamespaces()
  const child = spawn(
    process.execPath,
    [
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      'test/hosts/partitions.test.ts',
      ...process.argv.slice(2),
    ],
    { cwd: ROOT, stdio: 'inherit', env: { ...process.env, DARKROOM_NAMESPACES: '1' } },
  )
  // The child gets the signal of a terminal, too, and its end removes the namespaces.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill())
  const [code] = (await once(child, 'exit')) as [number | null]
  process.exitCode = code ?? 1
} finally {
  removeNamespaces()
}
