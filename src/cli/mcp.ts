import process from 'node:process'
import { systemClock } from '../clock.ts'
import { EXIT, UsageError, type Arguments, type Command, type CommandContext } from './command.ts'
import { watchSignals } from './signals.ts'

export const mcp: Command = {
  name: 'mcp',
  summary: 'Serve the tools for agents over stdin and stdout',
  usage: '[options]',
  options: {
    '--url <url>': 'URL of a running server (default: DARKROOM_URL; else a server in this process)',
    '--data-dir <path>': 'Folder of the database and the images, for a server in this process',
  },
  notes: {
    Environment: {
      DARKROOM_URL: 'As --url, which overrides it',
      DARKROOM_API_KEY: 'API key for the server, if it requires one',
      'all others': 'Without a URL: as for `darkroom serve`',
    },
    'Without a URL': {
      'the data folder is free': 'Runs the server in this process, on HOST and PORT',
      'it is in use': 'Uses the server that has it, at HOST and PORT',
    },
    Streams: { stdout: 'Messages of the protocol only', stderr: 'Log lines' },
  },
  examples: [
    'DARKROOM_URL=http://127.0.0.1:4000 DARKROOM_API_KEY=… darkroom mcp',
    'OPENAI_API_KEY=… darkroom mcp --data-dir ~/.darkroom',
  ],
  run: runMcp,
}

async function runMcp({ values }: Arguments, context: CommandContext): Promise<number> {
  const { env, err } = context
  const url = values['url'] ?? (env['DARKROOM_URL'] || undefined)
  if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new UsageError(`The URL of the server is "${url}"; it must begin with http:// or https://.`)
  const [{ openBridge }, { createConnector }] = await Promise.all([
    import('./mcp/bridge.ts'),
    import('./mcp/connector.ts'),
  ])
  const connector = createConnector(context, { url, dataDir: values['data-dir'] })
  const signals = watchSignals()
  try {
    const { stdin, stdout } = process
    const bridge = await openBridge({ stdin, stdout, clock: systemClock, connect: connector.connect })
    await Promise.race([bridge.ended, signals.first])
    await bridge.close()
    const force = new AbortController()
    void signals.second.then(() => force.abort())
    void signals.third.then(() => process.exit(EXIT.callsAborted))
    const count = await connector.close(force.signal)
    if (count > 0) err.write(`${count} running calls were aborted and may have been charged.\n`)
    return count === 0 ? EXIT.ok : EXIT.callsAborted
  } finally {
    signals.close()
  }
}
