import { readFile } from 'node:fs/promises'
import {
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  lexicographicSortSchema,
  parse,
  print,
  printSchema,
  type DirectiveNode,
  type DocumentNode,
} from 'graphql'
import { describe, expect, it } from 'vitest'
import { schema } from '../src/schema/index.ts'

// What clients and other programs rely on, by name, type and default. More may be there; this much must be.
const PROMISED = `
type Mutation {
  generateImage(input: GenerateImageInput!): Task!
  cancelTask(id: ID!): Task!
  retryTask(id: ID!, acceptPossibleSecondCharge: Boolean = false): Task!
  resolveAttempt(id: ID!, resolution: AttemptResolution!, remoteId: String, note: String): Attempt!
  pauseProvider(name: String!, model: String, reason: String = "Paused by an operator."): Provider!
  resumeProvider(name: String!, model: String): Provider!
  markDataFolderLost(id: ID!): DataFolder!
  createWebhook(input: CreateWebhookInput!): Webhook!
  deleteWebhook(id: ID!): Webhook!
  redeliverWebhook(deliveryId: ID!): WebhookDelivery!
  createProject(name: String!): Project!
  createApiKey(input: CreateApiKeyInput!): CreatedApiKey!
  revokeApiKey(id: ID!): ApiKey!
  setBudget(owner: ID!, period: BudgetPeriod!, limitMicros: BigInt): Budget!
  setLimits(owner: ID!, limits: LimitsInput): Limits
  adjustCost(attemptId: ID!, costMicros: BigInt!, note: String!): Attempt!
  adjustCosts(lines: [CostLineInput!]!, note: String!): AdjustedCosts!
  resolveAttempts(ids: [ID!], filter: ReviewFilter, reasons: [ReviewReason!], resolution: AttemptResolution!, note: String!): ResolvedAttempts!
  applyBill(bill: BillInput!): AppliedBill!
  applyProviderBill(provider: String!, from: DateTime!, to: DateTime!): AppliedBill!
  fetchResult(id: ID!): Attempt!
}
type Query {
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
  task(id: ID!): Task
  tasks(first: Int, after: String, last: Int, before: String, filter: TaskFilter): TaskConnection!
  usage(
    from: DateTime! to: DateTime! groupBy: [UsageDimension!]! = [] filter: UsageFilter timeZone: String = "UTC"
    metadataKey: String allProjects: Boolean = false
  ): UsageReport!
  project: Project!
  projects(first: Int, after: String, last: Int, before: String): ProjectConnection!
  providers: [Provider!]!
  attemptsNeedingReview(reason: ReviewReason = OUTCOME_UNKNOWN, filter: ReviewFilter, first: Int, after: String, last: Int, before: String): AttemptConnection!
  reviewCounts(reasons: [ReviewReason!], filter: ReviewFilter): [ReviewCount!]!
  compareBill(bill: BillInput!): BillReport!
  compareProviderBill(provider: String!, from: DateTime!, to: DateTime!): BillReport!
  dataFolders: [DataFolder!]!
  webhooks: [Webhook!]!
  webhookSecret: String!
  webhookDeliveries(first: Int, after: String, last: Int, before: String, webhookId: ID, state: WebhookDeliveryState): WebhookDeliveryConnection!
}
type Subscription {
  taskEvents(taskId: ID!, after: String): TaskEvent!
  taskFeed(filter: TaskFilter, after: String): TaskEvent!
  usage(
    from: DateTime! to: DateTime groupBy: [UsageDimension!]! = [] filter: UsageFilter timeZone: String = "UTC"
    metadataKey: String
  ): UsageReport!
}
type UsageReport { from: DateTime! to: DateTime! timeZone: String! rows: [UsageRow!]! totals: UsageTotals! }
type UsageRow implements UsageMeasures {
  hour: UsagePeriod day: UsagePeriod month: UsagePeriod projectId: ID apiKeyId: ID user: String provider: String
  model: String operation: Operation quality: Quality size: String status: TaskStatus metadata: String
  tasks: Int! attempts: Int! images: Int! inputTokens: BigInt outputTokens: BigInt totalTokens: BigInt
  inputTextTokens: BigInt inputImageTokens: BigInt outputTextTokens: BigInt outputImageTokens: BigInt
  costMicros: BigInt heldMicros: BigInt! attemptsWithUnknownCost: Int! attemptsWithUnknownUsage: Int!
}
type UsageTotals implements UsageMeasures { tasks: Int! costMicros: BigInt }
type UsagePeriod { label: String! startsAt: DateTime! endsAt: DateTime! }
enum UsageDimension { HOUR DAY MONTH PROJECT API_KEY USER PROVIDER MODEL OPERATION QUALITY SIZE STATUS METADATA }
input GenerateImageInput {
  prompt: String!
  model: String = "gpt-image-2"
  providers: [String!]
  images: [ImageInput!]
  mask: ImageInput
  size: ImageSize = "auto"
  quality: Quality = AUTO
  background: Background = AUTO
  moderation: Moderation = AUTO
  outputFormat: OutputFormat = PNG
  outputCompression: Int
  inputFidelity: InputFidelity
  style: Style
  n: Int = 1
  partialImages: Int = 0
  user: String
  metadata: [MetadataInput!]
  callbackUrl: URL
  idempotencyKey: String
  unsupported: UnsupportedSettingPolicy = WARN
  onUnknownOutcome: UnknownOutcomePolicy = HOLD
  maxCharges: Int = 1
}
input ImageInput @oneOf { url: URL dataUrl: String upload: Upload imageId: ID }
input CreateWebhookInput { url: URL! events: [WebhookEvent!] description: String }
type DataFolder { id: ID! host: String! lastSeenAt: DateTime! lostAt: DateTime }
type Project implements Node { id: ID! name: String! keys(first: Int, after: String, last: Int, before: String, includeRevoked: Boolean = false): ApiKeyConnection! createdAt: DateTime! }
type ApiKey implements Node {
  id: ID! name: String! prefix: String! scopes: [Scope!]! project: Project!
  createdAt: DateTime! expiresAt: DateTime revokedAt: DateTime lastUsedAt: DateTime
}
type CreatedApiKey { key: String! apiKey: ApiKey! }
input CreateApiKeyInput { name: String! scopes: [Scope!] = [GENERATE, READ] expiresAt: DateTime }
enum Scope { GENERATE READ REPORT ADMIN }
type Webhook implements Node {
  id: ID! url: URL! events: [WebhookEvent!] description: String secret: String
  createdAt: DateTime! disabledAt: DateTime deletedAt: DateTime
}
type WebhookDelivery implements Node {
  id: ID! event: WebhookEvent! state: WebhookDeliveryState! task: Task webhook: Webhook url: URL! payload: String!
  tries: [WebhookTry!]! nextTryAt: DateTime createdAt: DateTime! finishedAt: DateTime
}
type WebhookTry { number: Int! at: DateTime! durationMs: Int! httpStatus: Int failure: WebhookFailure }
enum WebhookEvent { TASK_SUCCEEDED TASK_FAILED TASK_CANCELED TASK_OUTCOME_UNKNOWN }
input TaskFilter { statuses: [TaskStatus!] operation: Operation model: String provider: String }
type Task implements Node {
  id: ID! status: TaskStatus! operation: Operation! prompt: String! model: String! progress: Float! queuePosition: Int
  images: [Image!]! partialImages: [PartialImage!]! attempts: [Attempt!]! provider: Provider
  usage: Usage costMicros: BigInt charged: Charged! error: TaskError warnings: [Warning!]!
  events(first: Int, after: String, last: Int, before: String): TaskEventConnection!
  lastCursor: String! createdAt: DateTime! startedAt: DateTime finishedAt: DateTime
}
type TaskConnection { edges: [TaskEdge!]! nodes: [Task!]! pageInfo: PageInfo! totalCount: Int! feedCursor: String! }
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type AttemptConnection { edges: [AttemptEdge!]! nodes: [Attempt!]! pageInfo: PageInfo! totalCount: Int! }
type Image implements Node {
  id: ID! url(width: Int, height: Int, format: OutputFormat): URL! b64Json: String! dataUrl: String!
  width: Int! height: Int! mimeType: String! byteSize: Int! sha256: String! thumbhash: String revisedPrompt: String
}
type PartialImage { index: Int! image: Image! at: DateTime! }
type Attempt implements Node {
  id: ID! number: Int! provider: Provider! state: AttemptState! charged: Charged! remoteId: String
  providerRequestId: String httpStatus: Int wirePhase: WirePhase! usage: Usage costMicros: BigInt error: TaskError
  createdAt: DateTime! sentAt: DateTime finishedAt: DateTime
}
type TaskError { code: TaskErrorCode! message: String! retryable: Boolean! charged: Charged! providerRequestId: String }
type Warning { code: WarningCode! field: String message: String! }
interface Node { id: ID! }
interface TaskEvent { cursor: String! at: DateTime! task: Task! }
type TaskSnapshot implements TaskEvent { cursor: String! at: DateTime! task: Task! }
type TaskQueued implements TaskEvent { cursor: String! }
type AttemptStarted implements TaskEvent { attempt: Attempt! }
type TaskProgressed implements TaskEvent { progress: Float! }
type PartialImageReceived implements TaskEvent { partialImage: PartialImage }
type AttemptEnded implements TaskEvent { attempt: Attempt! }
type OutcomeBecameUnknown implements TaskEvent { attempt: Attempt! }
type TaskFinished implements TaskEvent { status: TaskStatus! }
type Usage {
  inputTokens: Int outputTokens: Int totalTokens: Int
  inputTokensDetails: TokenDetails outputTokensDetails: TokenDetails source: UsageSource!
}
type TokenDetails { textTokens: Int imageTokens: Int }
enum TaskStatus { QUEUED RUNNING OUTCOME_UNKNOWN SUCCEEDED FAILED CANCELED }
enum Operation { GENERATE EDIT }
enum Charged { NO YES UNKNOWN }
enum Quality { AUTO LOW MEDIUM HIGH STANDARD HD XHIGH MAX }
enum Background { AUTO OPAQUE TRANSPARENT }
enum Moderation { AUTO LOW }
enum OutputFormat { PNG JPEG WEBP }
enum InputFidelity { HIGH LOW }
enum Style { VIVID NATURAL }
enum UnsupportedSettingPolicy { WARN ERROR }
enum UnknownOutcomePolicy { HOLD RESEND }
enum UsageSource { REPORTED ESTIMATED UNKNOWN }
`

const printed = `${printSchema(lexicographicSortSchema(schema))}\n`

describe('the schema', () => {
  it('is printed in schema.graphql, byte for byte', async () => {
    const stored = await readFile(new URL('../schema.graphql', import.meta.url), 'utf8')
    expect(stored === printed, 'schema.graphql differs from the schema: run `npm run schema`').toBe(true)
  })

  it('has every name that clients rely on, with its type, arguments and defaults', () => {
    const actual = new Set(linesOf(parse(printed)))
    const missing = linesOf(parse(PROMISED)).filter((line) => !actual.has(line))
    expect(missing).toEqual([])
  })

  it('has no root field besides the promised ones', () => {
    expect(roots(parse(printed)).toSorted()).toEqual(roots(parse(PROMISED)).toSorted())
  })

  it('describes every type, field, argument, enum value, input field and directive in short sentences', () => {
    const problems = members().flatMap(({ path, description }) =>
      problemsOf(description).map((problem) => `${path}: ${problem}`),
    )
    expect(problems).toEqual([])
  })

  it('adds a fact with every description instead of repeating the name', () => {
    const empty = members().filter(({ description, words }) => factsIn(description, words).length === 0)
    expect(empty.map(({ path, description }) => `${path}: ${description}`)).toEqual([])
  })

  it('names the required scope in the description of every root field', () => {
    const types = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
    const silent = types
      .flatMap((type) => Object.values(type?.getFields() ?? {}))
      .filter(({ description, extensions: { scope } }) => {
        const sentence = scope === 'OPERATOR' ? 'Operators only.' : `Requires the scope ${String(scope)}.`
        return !description?.endsWith(sentence)
      })
    expect(silent.map(({ name }) => name)).toEqual([])
  })

  it.each([
    ['', 'fewer than three words'],
    ['The status', 'fewer than three words'],
    ['State of a task', 'no period at the end'],
    [`${'Very '.repeat(25)}long sentence.`, 'a sentence of 27 words'],
    ['Id of the request at the upstream.', 'the term "upstream"'],
    ['Pass it to resume behind this event.', 'the term "behind this"'],
  ])('is tested to refuse the description "%s"', (description, problem) => {
    expect(problemsOf(description)).toContain(problem)
  })

  it('is tested to refuse a description that only repeats the name', () => {
    expect(factsIn('The status of the task.', ['task', 'status'])).toEqual([])
    expect(factsIn('Where it stands.', ['task', 'status'])).toEqual([])
    expect(factsIn('In pixels.', ['image', 'width'])).toEqual(['pixels'])
  })

  it('writes enum values in capitals, and fields, arguments and types in camel case', () => {
    const wrong = members().filter(({ kind, name }) => !CASES[kind].test(name))
    expect(wrong.map(({ path }) => path)).toEqual([])
  })

  it('says the unit in the name: At for moments, Micros for money, Ms for durations', () => {
    const wrong = members().filter(({ kind, name, type }) => {
      if (kind !== 'member' || type === undefined) return false
      const moment = type.includes('DateTime') !== /(^at|^from|^to|At|From|To)$/.test(name)
      // Sums of tokens are as large as sums of money.
      const tokens = type.includes('BigInt') && name.endsWith('Tokens')
      const money = type.includes('BigInt') !== name.endsWith('Micros') && !tokens
      const duration =
        /(duration|timeout|delay|interval)$/i.test(name) || (name.endsWith('Ms') && !/Int|Float/.test(type))
      return moment || money || duration
    })
    expect(wrong.map(({ path, type }) => `${path}: ${type}`)).toEqual([])
  })

  it('takes exactly one way to give an input image', () => {
    expect(schema.getType('ImageInput')).toMatchObject({ isOneOf: true })
  })
})

function roots(document: DocumentNode): string[] {
  return linesOf(document).filter((line) => /^(Query|Mutation|Subscription)\./.test(line))
}

/** A schema as lines such as `Query.task(id: ID!): Task`, `Style.VIVID`, `Task implements Node`. */
function linesOf(document: DocumentNode): string[] {
  return document.definitions.flatMap((definition) => {
    if (!('name' in definition) || !definition.name) return []
    const name = definition.name.value
    const directives: readonly DirectiveNode[] =
      'directives' in definition ? (definition.directives ?? []) : []
    const lines = directives.map((directive) => `${name} ${print(directive)}`)
    if ('interfaces' in definition)
      lines.push(...(definition.interfaces ?? []).map((one) => `${name} implements ${one.name.value}`))
    if ('values' in definition)
      lines.push(...(definition.values ?? []).map((value) => `${name}.${value.name.value}`))
    if ('fields' in definition) {
      for (const field of definition.fields ?? []) {
        const args =
          'arguments' in field
            ? (field.arguments ?? []).map((arg) => print({ ...arg, description: undefined }))
            : []
        const standard =
          'defaultValue' in field && field.defaultValue ? ` = ${print(field.defaultValue)}` : ''
        lines.push(
          `${name}.${field.name.value}(${args.toSorted().join(', ')}): ${print(field.type)}${standard}`,
        )
      }
    }
    return lines
  })
}

interface Member {
  kind: 'type' | 'member' | 'value' | 'directive'
  path: string
  name: string
  description: string
  /** Undefined for types and enum values. */
  type: string | undefined
  /** The words of its own name, of what it belongs to and of its type. */
  words: string[]
}

const CASES = {
  type: /^[A-Z][a-zA-Z0-9]*$/,
  member: /^[a-z][a-zA-Z0-9]*$/,
  value: /^[A-Z][A-Z0-9_]*$/,
  directive: /^[a-z][a-zA-Z0-9]*$/,
}

/** Every element of the schema that has a description, built-in scalars and introspection excluded. */
function members(): Member[] {
  const directives = schema
    .getDirectives()
    .flatMap(({ name, description, args }) => [
      member('directive', `@${name}`, name, description),
      ...args.map((arg) => member('member', `@${name}(${arg.name})`, arg.name, arg.description)),
    ])
  return [...directives, ...membersOfTypes()]
}

function membersOfTypes(): Member[] {
  return Object.values(schema.getTypeMap()).flatMap((type) => {
    if (/^(__|Boolean$|Float$|ID$|Int$|String$)/.test(type.name)) return []
    const list = [member('type', type.name, type.name, type.description)]
    if (isEnumType(type)) {
      for (const { name, description } of type.getValues())
        list.push(member('value', `${type.name}.${name}`, name, description))
    }
    if (isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) {
        const path = `${type.name}.${field.name}`
        list.push(member('member', path, field.name, field.description, String(field.type)))
        for (const arg of 'args' in field ? field.args : []) {
          list.push(member('member', `${path}(${arg.name})`, arg.name, arg.description, String(arg.type)))
        }
      }
    }
    return list
  })
}

function member(
  kind: Member['kind'],
  path: string,
  name: string,
  description: string | null | undefined,
  type?: string,
): Member {
  return {
    kind,
    path,
    name,
    type,
    description: description ?? '',
    words: wordsOf(`${path} ${type ?? ''}`),
  }
}

const MAX_SENTENCE_WORDS = 25

/** Other words for provider, image, partial image and after; test/language.test.ts has the words that no text may use. */
const OTHER_TERMS = /\b(?:upstreams?|pictures?|previews?|behind (?!the subject)\w+)/i

/** What is wrong with the language of a description. */
function problemsOf(description: string): string[] {
  const sentences = description.split(/(?<=\.)\s+/)
  const term = OTHER_TERMS.exec(description)?.[0]
  return [
    ...(description.split(/\s+/).length < 3 ? ['fewer than three words'] : []),
    ...(/^\S[^]*\.$/.test(description) ? [] : ['no period at the end']),
    ...sentences
      .map((sentence) => sentence.split(/\s+/).length)
      .filter((length) => length > MAX_SENTENCE_WORDS)
      .map((length) => `a sentence of ${length} words`),
    ...(term === undefined ? [] : [`the term "${term}"`]),
  ]
}

const FILLERS = new Set(
  `a an the of this that these those it its is are was were be been to in on for by with and or as at from which what
  whether when where who how one some any all has have had do does will would can may shall said itself themselves
  value kind type field object thing data stand given asked about`.split(/\s+/),
)

/** The words of a description that neither fill nor repeat. */
function factsIn(description: string, own: string[]): string[] {
  const repeated = new Set(own.map(stem))
  return wordsOf(description).filter(
    (word) => !FILLERS.has(word) && !FILLERS.has(stem(word)) && !repeated.has(stem(word)),
  )
}

function wordsOf(text: string): string[] {
  const apart = text.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
  return (apart.match(/[A-Za-z0-9]+/g) ?? []).map((word) => word.toLowerCase())
}

function stem(word: string): string {
  return word.replace(/(?:ing|ed|es|s)$/, '')
}
