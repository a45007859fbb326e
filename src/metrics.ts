// Counters and histograms cover this process since its start; `gauges` come from the database, the same in
// every process.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = ReturnType<typeof createMetrics>

/** For provider calls and tasks, in seconds. */
const CALL_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 90, 120, 180, 240, 600]
/** For requests and transactions, in seconds. */
const WAIT_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

const PROJECT = ['project'] as const
const PROVIDER = ['provider'] as const
const STATUS = ['status'] as const

/** In their own registry, so that two gateways in one process do not mix. */
export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]

  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter({ name, help, labelNames, registers })
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge({ name, help, labelNames, registers })
  const histogram = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    buckets: number[],
  ) => new Histogram({ name, help, labelNames, buckets, registers })

  return {
    registry,
    tasksCreated: counter(
      'darkroom_tasks_created_total',
      'Tasks created. Excludes requests that return an existing task.',
      ['model', 'operation'],
    ),
    tasksFinished: counter(
      'darkroom_tasks_finished_total',
      'Tasks that ended, by their final status.',
      STATUS,
    ),
    taskSeconds: histogram(
      'darkroom_task_duration_seconds',
      'Duration of a task from the request to its end, including time in the queue.',
      STATUS,
      CALL_SECONDS,
    ),
    claims: counter(
      'darkroom_attempt_claims_total',
      'Claims of attempts: one to send an attempt and one for each later check.',
      PROVIDER,
    ),
    attemptsEnded: counter(
      'darkroom_attempts_ended_total',
      'Attempts that ended. An unknown outcome counts when it occurs and again when it is resolved.',
      ['provider', 'model', 'outcome'],
    ),
    lateResults: counter(
      'darkroom_late_results_total',
      'Attempts that returned paid images after their task had ended.',
      PROVIDER,
    ),
    providerCallSeconds: histogram(
      'darkroom_provider_call_duration_seconds',
      'Duration of a provider call until the response is read. Outcome is the returned state or the kind of failure.',
      ['call', 'provider', 'model', 'outcome'],
      CALL_SECONDS,
    ),
    unknownStatuses: counter(
      'darkroom_unknown_statuses_total',
      'Checks that returned a status which the dialect does not know. It counts as running.',
      PROVIDER,
    ),
    imageBytes: counter('darkroom_image_bytes_total', 'Bytes of final images stored, decoded.', PROVIDER),
    tokens: counter('darkroom_tokens_total', 'Tokens reported by providers. Excludes unreported usage.', [
      'provider',
      'model',
      'type',
    ]),
    webhookTries: counter('darkroom_webhook_tries_total', 'Requests to webhooks, by delivered or failure.', [
      'result',
    ]),
    deliveriesEnded: counter(
      'darkroom_webhook_deliveries_ended_total',
      'Deliveries that ended: succeeded, or failed after the last retry.',
      ['state'],
    ),
    requests: counter('darkroom_http_requests_total', 'HTTP requests. A stream counts when it starts.', [
      'route',
      'status',
    ]),
    requestSeconds: histogram(
      'darkroom_http_request_duration_seconds',
      'Duration of an HTTP request until the response headers.',
      ['route'],
      WAIT_SECONDS,
    ),
    operations: counter(
      'darkroom_graphql_operations_total',
      'GraphQL operations over all transports. Result is error when the result holds an error.',
      ['operation', 'result'],
    ),
    operationSeconds: histogram(
      'darkroom_graphql_operation_duration_seconds',
      'Execution time of queries and mutations, without parsing and validation.',
      ['operation'],
      WAIT_SECONDS,
    ),
    subscribers: gauge('darkroom_subscribers', 'Open subscriptions, over websocket or sse.', ['transport']),
    eventLag: histogram(
      'darkroom_event_lag_seconds',
      'Delay from writing an event to reading it for subscribers, once for those that read it together. Subject to clock skew between hosts.',
      [],
      WAIT_SECONDS,
    ),
    transactions: histogram(
      'darkroom_database_transaction_duration_seconds',
      'Duration of a transaction, including the wait for its start.',
      ['result'],
      WAIT_SECONDS,
    ),
    build: gauge('darkroom_build_info', 'Always 1; the labels name the version and the database.', [
      'version',
      'database',
    ]),

    /** On a scrape. */
    gauges: {
      tasks: gauge('darkroom_tasks', 'Tasks that have not ended, by status.', STATUS),
      queued: gauge('darkroom_queue_attempts', 'Attempts to be sent, including those in back-off.', PROVIDER),
      running: gauge('darkroom_running_attempts', 'Attempts sent to a provider, not ended.', PROVIDER),
      queueAge: gauge(
        'darkroom_queue_oldest_seconds',
        'Time since the oldest waiting attempt became due; 0 when none is due.',
        PROVIDER,
      ),
      unknown: gauge(
        'darkroom_attempts_unknown',
        'Attempts with an unknown outcome and a possible charge. They need review by an operator.',
        PROVIDER,
      ),
      unknownAge: gauge(
        'darkroom_attempts_unknown_oldest_seconds',
        'Time since the oldest attempt with an unknown outcome was sent; 0 when there is none.',
        PROVIDER,
      ),
      unpriced: gauge(
        'darkroom_attempts_unknown_unpriced',
        'Attempts with an unknown outcome and no known worst case, excluded from darkroom_charge_possible_micros.',
        PROVIDER,
      ),
      chargePossible: gauge(
        'darkroom_charge_possible_micros',
        'Worst-case cost of all attempts with an unknown outcome, in micro-USD. Held until they are resolved.',
      ),
      held: gauge(
        'darkroom_held_micros',
        'Micro-USD held for attempts with an unknown cost, by project. With more than 50 projects, one sum with an empty label.',
        PROJECT,
      ),
      spent: gauge(
        'darkroom_spent_micros',
        'Micro-USD spent, including corrections, so it may fall. By project like darkroom_held_micros.',
        PROJECT,
      ),
      deliveries: gauge(
        'darkroom_webhook_deliveries_pending',
        'Webhook deliveries running or to be retried.',
      ),
      deliveryAge: gauge(
        'darkroom_webhook_oldest_pending_seconds',
        'Age of the event of the oldest pending delivery; 0 when there is none.',
      ),
      unavailable: gauge(
        'darkroom_provider_unavailable',
        '1 while a provider or one of its models is in cooldown or paused. An empty model label means all models.',
        ['provider', 'model'],
      ),
      readSeconds: gauge('darkroom_database_read_seconds', 'Duration of the last read of these gauges.'),
      up: gauge('darkroom_database_up', '1 when the last read of these gauges succeeded, else 0.'),
    },
  }
}

/** Of the process: memory, CPU, file handles, event loop, garbage collection. */
export function collectProcessMetrics({ registry }: Metrics): void {
  collectDefaultMetrics({ register: registry })
}
