// Bulk mutations: each input has its own outcome.
import type { TaskRow } from '../../db/tables/tables.ts'
import type { CreatedTask } from '../../engine/tasks/create.ts'
import { MAX_IMAGES } from '../../engine/tasks/input.ts'
import { badInput, gatewayErrorOf, type GatewayError, type GatewayErrorCode } from '../../errors.ts'
import { builder } from '../builder.ts'
import { ErrorCode } from '../error-code.ts'
import { PERMISSION } from './change-task.ts'
import { exposeAll, exposeNullable } from '../expose.ts'
import { GenerateImageInput, readInput, REPLAYED } from './generate-image.ts'
import { mutation } from '../mutation.ts'
import { requires } from '../scopes.ts'
import { TaskRef } from './task.ts'

const MAX_INPUTS = 50
/** By the mutation, whose complexity has the number of inputs. */
const COUNTED_ONCE = { multiplier: 1 }

/** Not the error itself, which GraphQL would throw. */
interface Refusal {
  code: GatewayErrorCode
  message: string
  field: string | null
  retryAfterMs: number | null
}

const RefusalRef = builder.objectRef<Refusal>('TaskRefusal').implement({
  description: 'Why nothing was done for one input of many.',
  fields: (t) => ({
    ...exposeAll(t, ErrorCode, { code: 'Kind of the refusal, as in `extensions.code` of errors.' }),
    ...exposeAll(t, 'String', {
      message: 'Explanation for people, with the remedy. The wording may change.',
    }),
    ...exposeNullable(t, 'String', {
      field: 'Path within this input, such as `images.0.url`. Null if none is to blame.',
    }),
    ...exposeNullable(t, 'Int', {
      retryAfterMs: 'Milliseconds to wait before the same input can succeed. Null if waiting does not help.',
    }),
  }),
})

type Outcome<Done extends { task: TaskRow }> = Done | { failure: unknown }

/** In order, because earlier inputs may use up a limit or a budget. */
async function outcomesOf<Input, Done extends { task: TaskRow }>(
  inputs: readonly Input[],
  work: (input: Input) => Promise<Done>,
): Promise<Outcome<Done>[]> {
  const outcomes: Outcome<Done>[] = []
  let unavailable: GatewayError | undefined
  for (const input of inputs) {
    if (unavailable) outcomes.push({ failure: unavailable })
    else outcomes.push(await work(input).catch((failure: unknown) => ({ failure })))
    unavailable ??= unavailableIn(outcomes.at(-1)!)
  }
  return outcomes
}

/** Further inputs would wait for the database in vain. */
function unavailableIn(outcome: Outcome<{ task: TaskRow }>): GatewayError | undefined {
  const error = 'failure' in outcome ? gatewayErrorOf(outcome.failure) : undefined
  return error?.code === 'SERVICE_UNAVAILABLE' || error?.code === 'SHUTTING_DOWN' ? error : undefined
}

type Types = typeof builder.$inferSchemaTypes
type OutcomeFields = PothosSchemaTypes.ObjectFieldBuilder<Types, Outcome<{ task: TaskRow }>>

const outcomeFields = (t: OutcomeFields, description: string) => ({
  task: t.field({
    type: TaskRef,
    nullable: true,
    description: `${description} Null if \`error\` is not.`,
    resolve(outcome) {
      if (!('failure' in outcome)) return outcome.task
      if (gatewayErrorOf(outcome.failure)) return null
      // A bug must not hide the other outcomes.
      throw outcome.failure
    },
  }),
  error: t.field({
    type: RefusalRef,
    nullable: true,
    description: 'Refusal of this input, which does not stop the others. Null if it was accepted.',
    resolve(outcome): Refusal | null {
      const error = 'failure' in outcome ? gatewayErrorOf(outcome.failure) : undefined
      if (!error) return null
      const { code, message, field = null, retryAfterMs } = error
      return {
        code,
        message,
        field,
        retryAfterMs: retryAfterMs === undefined ? null : Math.ceil(retryAfterMs),
      }
    },
  }),
})

const GenerateOutcomeRef = builder.objectRef<Outcome<CreatedTask>>('GenerateImageOutcome').implement({
  description: 'What became of one input of generateImages.',
  fields: (t) => ({
    ...outcomeFields(t, 'The created task, or the earlier one if `replayed`.'),
    replayed: t.boolean({
      description: REPLAYED,
      resolve: (outcome) => 'replayed' in outcome && outcome.replayed,
    }),
  }),
})

mutation('generateImages', {
  right: requires(
    'GENERATE',
    `Creates up to ${MAX_INPUTS} tasks, one after the other, as generateImage does. Limits and budgets count each. A refused ` +
      'input has the error in its outcome. Errors: BAD_USER_INPUT with the header Idempotency-Key; each input takes a key.',
    { paid: true },
  ),
  input: {
    description: 'Prompts and settings, one input for each task.',
    fields: (t) => ({
      inputs: t.field({
        type: [GenerateImageInput],
        required: true,
        description: `At most ${MAX_INPUTS}, in order of importance. One request carries up to ${MAX_IMAGES + 1} uploaded files.`,
      }),
    }),
  },
  multiplier: ({ inputs }) => Math.min(inputs.length, MAX_INPUTS),
  async resolve({ inputs }, { engine, caller, idempotencyKey }) {
    checkSize('inputs', inputs)
    if (idempotencyKey !== null)
      throw badInput(
        'idempotencyKey',
        'The header Idempotency-Key names one task; send an idempotencyKey in each of inputs instead.',
      )
    return { outcomes: await outcomesOf(inputs, (input) => engine.createTask(caller, readInput(input))) }
  },
  payload: (t) => ({
    outcomes: t.expose('outcomes', {
      type: [GenerateOutcomeRef],
      description: 'One for each input, in the same order.',
      complexity: COUNTED_ONCE,
    }),
  }),
})

type TaskOutcome = Outcome<{ task: TaskRow }> & { id: string }

const TaskOutcomeRef = builder.objectRef<TaskOutcome>('TaskOutcome').implement({
  description: 'What became of one id of cancelTasks or retryTasks.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id that was passed in `ids`.' }),
    ...outcomeFields(t, 'The canceled, new or resumed task.'),
  }),
})

interface TaskOutcomes {
  outcomes: TaskOutcome[]
}

const outcomesField = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, TaskOutcomes>) => ({
  outcomes: t.expose('outcomes', {
    type: [TaskOutcomeRef],
    description: 'One for each id, in the same order.',
    complexity: COUNTED_ONCE,
  }),
})

async function taskOutcomesOf(
  ids: readonly string[],
  work: (id: string) => Promise<TaskRow>,
): Promise<TaskOutcomes> {
  const outcomes = await outcomesOf(ids, async (id) => ({ task: await work(id) }))
  return { outcomes: outcomes.map((outcome, nth) => ({ ...outcome, id: ids[nth]! })) }
}

mutation('cancelTasks', {
  right: requires(
    'GENERATE',
    `Cancels up to ${MAX_INPUTS} tasks as cancelTask does. Idempotent. Each id has its own outcome.`,
  ),
  input: {
    description: 'Ids of the tasks.',
    fields: (t) => ({
      ids: t.idList({ required: true, description: `Ids of tasks, task_…, at most ${MAX_INPUTS}.` }),
    }),
  },
  multiplier: ({ ids }) => Math.min(ids.length, MAX_INPUTS),
  resolve({ ids }, { engine, projectId }) {
    checkSize('ids', ids)
    return taskOutcomesOf(ids, (id) => engine.cancelTask(projectId, id))
  },
  payload: outcomesField,
})

mutation('retryTasks', {
  right: requires(
    'GENERATE',
    `Retries up to ${MAX_INPUTS} tasks, one after the other, as retryTask does. Limits and budgets count each. Each id has its ` +
      'own outcome. Errors: BAD_USER_INPUT if a task is named twice.',
    { paid: true },
  ),
  input: {
    description: 'Ids of the tasks, and the permission to pay again.',
    fields: (t) => ({
      ids: t.idList({ required: true, description: `Ids of tasks, task_…, at most ${MAX_INPUTS}.` }),
      acceptPossibleSecondCharge: t.boolean({ defaultValue: false, description: PERMISSION }),
    }),
  },
  multiplier: ({ ids }) => Math.min(ids.length, MAX_INPUTS),
  resolve({ ids, acceptPossibleSecondCharge }, { engine, caller }) {
    checkSize('ids', ids)
    const repeated = ids.find((id, nth) => ids.indexOf(id) !== nth)
    if (repeated !== undefined) throw badInput('ids', `ids names ${repeated.slice(0, 60)} twice.`)
    const permission = { acceptPossibleSecondCharge: acceptPossibleSecondCharge ?? false }
    return taskOutcomesOf(ids, (id) => engine.retryTask(caller, id, permission))
  },
  payload: outcomesField,
})

function checkSize(field: string, { length }: readonly unknown[]): void {
  if (length > MAX_INPUTS)
    throw badInput(field, `${field} has ${length} items; the maximum is ${MAX_INPUTS}.`)
}
