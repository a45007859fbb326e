// What clients and other programs rely on, by name, type and default. More may be there; this much must be.
export const PROMISED = `
type Mutation {
  generateImage(input: GenerateImageInput!): GenerateImagePayload
  cancelTask(input: CancelTaskInput!): CancelTaskPayload
  retryTask(input: RetryTaskInput!): RetryTaskPayload
  generateImages(input: GenerateImagesInput!): GenerateImagesPayload
  cancelTasks(input: CancelTasksInput!): CancelTasksPayload
  retryTasks(input: RetryTasksInput!): RetryTasksPayload
  resolveAttempt(input: ResolveAttemptInput!): ResolveAttemptPayload
  pauseProvider(input: PauseProviderInput!): PauseProviderPayload
  resumeProvider(input: ResumeProviderInput!): ResumeProviderPayload
  markDataFolderLost(input: MarkDataFolderLostInput!): MarkDataFolderLostPayload
  createWebhook(input: CreateWebhookInput!): CreateWebhookPayload
  updateWebhook(input: UpdateWebhookInput!): UpdateWebhookPayload
  updateTask(input: UpdateTaskInput!): UpdateTaskPayload
  deleteTask(input: DeleteTaskInput!): DeleteTaskPayload
  deleteImage(input: DeleteImageInput!): DeleteImagePayload
  deleteWebhook(input: DeleteWebhookInput!): DeleteWebhookPayload
  sendTestWebhook(input: SendTestWebhookInput!): SendTestWebhookPayload
  redeliverWebhook(input: RedeliverWebhookInput!): RedeliverWebhookPayload
  createProject(input: CreateProjectInput!): CreateProjectPayload
  createApiKey(input: CreateApiKeyInput!): CreateApiKeyPayload
  revokeApiKey(input: RevokeApiKeyInput!): RevokeApiKeyPayload
  setBudget(input: SetBudgetInput!): SetBudgetPayload
  setLimits(input: SetLimitsInput!): SetLimitsPayload
  setRetention(input: SetRetentionInput!): SetRetentionPayload
  adjustCost(input: AdjustCostInput!): AdjustCostPayload
  adjustCosts(input: AdjustCostsInput!): AdjustCostsPayload
  resolveAttempts(input: ResolveAttemptsInput!): ResolveAttemptsPayload
  applyBill(input: ApplyBillInput!): ApplyBillPayload
  applyProviderBill(input: ApplyProviderBillInput!): ApplyProviderBillPayload
  fetchResult(input: FetchResultInput!): FetchResultPayload
}
input CancelTaskInput { id: ID! }
input RetryTaskInput { id: ID! acceptPossibleSecondCharge: Boolean = false }
input GenerateImagesInput { inputs: [GenerateImageInput!]! }
input CancelTasksInput { ids: [ID!]! }
input RetryTasksInput { ids: [ID!]! acceptPossibleSecondCharge: Boolean = false }
input ResolveAttemptInput { id: ID! resolution: AttemptResolution! remoteId: String note: String }
input PauseProviderInput { name: String! model: String reason: String = "Paused by an operator." }
input ResumeProviderInput { name: String! model: String }
input MarkDataFolderLostInput { id: ID! }
input DeleteWebhookInput { id: ID! }
input RedeliverWebhookInput { deliveryId: ID! }
input CreateProjectInput { name: String! }
input RevokeApiKeyInput { id: ID! }
input SetBudgetInput { owner: ID! period: BudgetPeriod! limitMicros: BigInt }
input SetLimitsInput { owner: ID! limits: LimitsInput }
input AdjustCostInput { attemptId: ID! costMicros: BigInt! note: String! }
input AdjustCostsInput { lines: [CostLineInput!]! note: String! }
input ResolveAttemptsInput { ids: [ID!] filter: ReviewFilter reasons: [ReviewReason!] resolution: AttemptResolution! note: String! }
input ApplyBillInput { bill: BillInput! }
input ApplyProviderBillInput { provider: String! from: DateTime! to: DateTime! }
input FetchResultInput { id: ID! }
type GenerateImagePayload { task: Task replayed: Boolean! }
type CancelTaskPayload { task: Task }
type RetryTaskPayload { task: Task }
type GenerateImagesPayload { outcomes: [GenerateImageOutcome!]! }
type GenerateImageOutcome { task: Task replayed: Boolean! error: TaskRefusal }
type CancelTasksPayload { outcomes: [TaskOutcome!]! }
type RetryTasksPayload { outcomes: [TaskOutcome!]! }
type TaskOutcome { id: ID! task: Task error: TaskRefusal }
type TaskRefusal { code: ErrorCode! message: String! field: String retryAfterMs: Int }
type ResolveAttemptPayload { attempt: Attempt }
type PauseProviderPayload { provider: Provider }
type ResumeProviderPayload { provider: Provider }
type MarkDataFolderLostPayload { dataFolder: DataFolder }
type CreateWebhookPayload { webhook: Webhook secret: String! }
type UpdateWebhookPayload { webhook: Webhook }
type DeleteWebhookPayload { webhook: Webhook }
type RedeliverWebhookPayload { delivery: WebhookDelivery }
type CreateProjectPayload { project: Project }
type CreateApiKeyPayload { key: String! apiKey: ApiKey }
type RevokeApiKeyPayload { apiKey: ApiKey }
type SetBudgetPayload { budget: Budget }
type SetLimitsPayload { limits: Limits }
type AdjustCostPayload { attempt: Attempt }
type AdjustCostsPayload { adjusted: Int! unchanged: Int! problems: [ReviewProblem!]! }
type ResolveAttemptsPayload { resolved: Int! remaining: Int problems: [ReviewProblem!]! }
type ApplyBillPayload { report: BillReport corrected: Int! problems: [ReviewProblem!]! }
type ApplyProviderBillPayload { report: BillReport corrected: Int! problems: [ReviewProblem!]! }
type FetchResultPayload { attempt: Attempt }
type Query {
  viewer: Viewer!
  auditLog(subject: ID, first: Int, after: String, last: Int, before: String): AuditEntryConnection!
  images(filter: ImageFilter, first: Int, after: String, last: Int, before: String): ImageConnection!
  reviewSummary: ReviewSummary!
  quote(input: QuoteInput!): Quote!
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
  task(id: ID!): Task
  tasks(first: Int, after: String, last: Int, before: String, filter: TaskFilter, orderBy: TaskOrder = CREATED_AT_DESC): TaskConnection!
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
  providers: [Provider!]!
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
input CreateApiKeyInput { name: String! scopes: [Scope!] = [GENERATE, READ] expiresAt: DateTime }
enum Scope { GENERATE READ REPORT ADMIN }
type Webhook implements Node {
  id: ID! url: URL! events: [WebhookEvent!] description: String
  createdAt: DateTime! disabledAt: DateTime deletedAt: DateTime
}
type WebhookDelivery implements Node {
  id: ID! event: WebhookEvent! state: WebhookDeliveryState! task: Task webhook: Webhook url: URL! payload: String!
  tries: [WebhookTry!]! nextTryAt: DateTime createdAt: DateTime! finishedAt: DateTime
}
type WebhookTry { number: Int! at: DateTime! durationMs: Int! httpStatus: Int failure: WebhookFailure }
enum WebhookEvent { TASK_SUCCEEDED TASK_FAILED TASK_CANCELED TASK_OUTCOME_UNKNOWN }
type Provider implements Node { id: ID! }
type Model implements Node { id: ID! }
type ProviderStats {
  attempts: Int! succeeded: Int! failedUncharged: Int! unknown: Int! p50Ms: Int p95Ms: Int lastError: ProviderError
}
type ProviderError { at: DateTime! code: TaskErrorCode! message: String! }
input TaskFilter {
  statuses: [TaskStatus!] operation: Operation model: String models: [String!] provider: String providers: [String!]
  createdFrom: DateTime createdTo: DateTime search: String apiKeyIds: [ID!] users: [String!] metadata: [MetadataInput!]
  charged: [Charged!] hasWarnings: Boolean
}
enum TaskOrder { CREATED_AT_DESC CREATED_AT_ASC FINISHED_AT_DESC FINISHED_AT_ASC }
type Task implements Node {
  id: ID! status: TaskStatus! operation: Operation! prompt: String! model: String! progress: Float! queuePosition: Int
  images: [Image!]! partialImages: [PartialImage!]! attempts: [Attempt!]! provider: Provider
  usage: Usage costMicros: BigInt charged: Charged! error: TaskError warnings: [Warning!]!
  events(first: Int, after: String, last: Int, before: String): TaskEventConnection!
  lastCursor: String! revision: Int! createdAt: DateTime! startedAt: DateTime finishedAt: DateTime
}
type TaskConnection { edges: [TaskEdge!]! nodes: [Task!]! pageInfo: PageInfo! totalCount: Int! feedCursor: String! }
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type AttemptConnection { edges: [AttemptEdge!]! nodes: [Attempt!]! pageInfo: PageInfo! totalCount: Int! }
type Image implements Node {
  id: ID! url(width: Int, height: Int, format: OutputFormat, animated: Boolean): URL! b64Json: String! dataUrl: String!
  kind: ImageKind! createdAt: DateTime! task: Task!
  width: Int! height: Int! mimeType: String! byteSize: Int! sha256: String! thumbhash: String revisedPrompt: String
}
type PartialImage { index: Int! image: Image! at: DateTime! }
type Attempt implements Node {
  id: ID! task: Task! number: Int! provider: Provider! state: AttemptState! charged: Charged! remoteId: String
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
type TaskLeftFilter implements TaskEvent { task: Task! }
type TaskFinished implements TaskEvent { status: TaskStatus! }
type Usage {
  inputTokens: BigInt outputTokens: BigInt totalTokens: BigInt
  inputTokensDetails: TokenDetails outputTokensDetails: TokenDetails source: UsageSource!
}
type TokenDetails { textTokens: BigInt imageTokens: BigInt }
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
