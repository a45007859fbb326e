import { EXIT, UsageError, type Arguments, type Command, type CommandContext } from './command.ts'
import { OperationRefused } from './graphql.ts'
import { print } from './output.ts'
import { KEYS_NOTE, openServer, SERVER_OPTIONS, type ServerClient } from './server-client.ts'
import { findTask } from './tasks/find.ts'
import { CANCEL_TASK } from './tasks/operations.ts'

export const cancel: Command = {
  name: 'cancel',
  summary: 'Cancel tasks, free of charge if they were not sent yet',
  usage: '<id> [<id> …]',
  takesPositionals: true,
  options: SERVER_OPTIONS,
  notes: {
    'When the provider has started': {
      cost: 'It is paid. The image is stored when it arrives, and the task ends as canceled',
    },
    ...KEYS_NOTE,
  },
  examples: ['darkroom cancel task_01M8MB48F24Q2N5DGR9H3TXZAS'],
  run: runCancel,
}

interface Canceled {
  id: string
  status: string
  cancelRequested: boolean
  charged: string
}

/** Continues after a refusal. Exits with 1 if any task was not canceled. */
async function runCancel(input: Arguments, context: CommandContext): Promise<number> {
  const { positionals: ids } = input
  if (ids.length === 0) throw new UsageError('`darkroom cancel` takes the IDs of tasks.')
  await using opened = new AsyncDisposableStack()
  const client = opened.adopt(await openServer(context, input), (it) => it.close())
  const canceled: Canceled[] = []
  const refused: { id: string; code: string | undefined; message: string }[] = []
  for (const id of ids) {
    try {
      canceled.push(await cancelOne(client, id))
    } catch (error) {
      if (!(error instanceof OperationRefused) || error.code === 'UNAUTHENTICATED') throw error
      refused.push({ id, code: error.code, message: error.message })
    }
  }
  print(context.out, input, { text: canceled.map(lineOf).join(''), data: { canceled, refused } })
  for (const { message } of refused) context.err.write(`${context.err.paint('red', message)}\n`)
  return refused.length === 0 ? EXIT.ok : EXIT.failed
}

async function cancelOne(client: ServerClient, id: string): Promise<Canceled> {
  const { projectId } = await findTask(client, id)
  const { cancelTask } = await client.run({ ...CANCEL_TASK, variables: { id }, projectId })
  return cancelTask.task
}

function lineOf({ id, status, charged }: Canceled): string {
  if (status !== 'CANCELED')
    return `${id}: cancellation requested. Its provider has started and may charge for it.\n`
  return charged === 'NO' ? `${id}: canceled, not charged.\n` : `${id}: canceled.\n`
}
