// What Prometheus may ask of this process. Counters and histograms are what this process did since it began; gauges about
// rows are read from the database when somebody asks, so every process answers the same.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = ReturnType<typeof createMetrics>

/** From a cached answer to the longest a provider is waited for, in seconds. */
const CALL_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 90, 120, 180, 240, 600]
/** For what a client or a transaction waits for, in seconds. */
const WAIT_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Every metric there is, in a registry of its own: two gateways in one process do not mix. */
export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]

  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name, help, labelNames, registers })
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge({ name, help, labelNames, registers })
  const histogram = <Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    buckets: number[],
  ) => new Histogram({ name, help, labelNames, buckets, registers })

  return {
    registry,

    /** What this process did. */
    done: {
      tasksCreated: counter(
        'darkroom_tasks_created_total',
        'Tasks stored by this process. A request that is answered with a known task is not counted again.',
        ['model', 'operation'],
      ),
      tasksFinished: counter(
        'darkroom_tasks_finished_total',
        'Tasks that ended for good in this process: succeeded, failed or canceled.',
        ['status'],
      ),
      taskSeconds: histogram(
        'darkroom_task_duration_seconds',
        'From the request to the end of a task, waiting in the queue included.',
        ['status'],
        CALL_SECONDS,
      ),
      claims: counter(
        'darkroom_attempt_claims_total',
        'Attempts taken up by this process, once for sending and once more for each question about one.',
        ['provider'],
      ),
      attemptsEnded: counter(
        'darkroom_attempts_ended_total',
        'Attempts that ended in this process. Outcome unknown is counted when the doubt begins; what ends it later is counted as well.',
        ['provider', 'model', 'outcome'],
      ),
      darkResults: counter(
        'darkroom_dark_results_total',
        'Attempts that brought paid images after their task had ended without them.',
        ['provider'],
      ),
      upstreamSeconds: histogram(
        'darkroom_upstream_call_duration_seconds',
        'One call to an upstream until its reply was read whole. Outcome is the state it answered with, or the kind of failure.',
        ['call', 'provider', 'model', 'outcome'],
        CALL_SECONDS,
      ),
      imageBytes: counter(
        'darkroom_image_bytes_total',
        'Bytes of finished images stored, as files. What came over the wire in base64 was a third more.',
        ['provider'],
      ),
      tokens: counter(
        'darkroom_tokens_total',
        'Tokens that upstreams reported. What nobody reported is not in here, and is not zero.',
        ['provider', 'model', 'type'],
      ),
      webhookTries: counter(
        'darkroom_webhook_tries_total',
        'Posts to webhooks by this process. Result is delivered, or why it was not.',
        ['result'],
      ),
      webhooksEnded: counter(
        'darkroom_webhook_deliveries_ended_total',
        'Deliveries that ended in this process: succeeded, or failed when all their tries did.',
        ['state'],
      ),
      requests: counter(
        'darkroom_http_requests_total',
        'Requests answered, by route and status code. A stream counts when it begins.',
        ['route', 'status'],
      ),
      requestSeconds: histogram(
        'darkroom_http_request_duration_seconds',
        'From a request to the head of its answer.',
        ['route'],
        WAIT_SECONDS,
      ),
      operations: counter(
        'darkroom_graphql_operations_total',
        'Operations executed, over every transport. Result is error when the answer held at least one.',
        ['operation', 'result'],
      ),
      operationSeconds: histogram(
        'darkroom_graphql_operation_duration_seconds',
        'Queries and mutations, from the checked document to the result.',
        ['operation'],
        WAIT_SECONDS,
      ),
      subscribers: gauge(
        'darkroom_subscribers',
        'Subscriptions that are open at this process. Transport is websocket or sse.',
        ['transport'],
      ),
      eventLag: histogram(
        'darkroom_event_lag_seconds',
        'From the moment an event was written to the moment it was handed to one viewer. Between hosts, their clocks are compared.',
        [],
        WAIT_SECONDS,
      ),
      transactions: histogram(
        'darkroom_database_transaction_duration_seconds',
        'Transactions, from the wish for one to its commit, waiting for others included.',
        ['result'],
        WAIT_SECONDS,
      ),
    },

    /** How things stand in the database, whichever process asks. */
    standing: {
      tasks: gauge('darkroom_tasks', 'Tasks that have not ended, by status.', ['status']),
      queued: gauge(
        'darkroom_queue_attempts',
        'Attempts that wait to be sent, those that wait for their next try included.',
        ['provider'],
      ),
      running: gauge(
        'darkroom_running_attempts',
        'Attempts that a provider is working on, or was sent and has not accepted yet.',
        ['provider'],
      ),
      queueAge: gauge(
        'darkroom_queue_oldest_seconds',
        'How long the attempt that waits longest could have been sent already; 0 when none is due.',
        ['provider'],
      ),
      unknown: gauge(
        'darkroom_attempts_unknown',
        'Attempts that may have been charged and whose outcome nobody knows. They wait for an operator.',
        ['provider'],
      ),
      unknownAge: gauge(
        'darkroom_attempts_unknown_oldest_seconds',
        'For how long the oldest of these doubts has stood, counted from when it was sent; 0 when there is none.',
        ['provider'],
      ),
      unpriced: gauge(
        'darkroom_attempts_unknown_unpriced',
        'Those of them whose worst case nobody knows: they are not part of darkroom_charge_possible_micros.',
        ['provider'],
      ),
      chargePossible: gauge(
        'darkroom_charge_possible_micros',
        'The most that the attempts in doubt could cost together, in micro-USD. It is held until the doubt ends.',
      ),
      held: gauge(
        'darkroom_held_micros',
        'Micro-USD held for attempts whose cost is not known yet. One line per project, up to 50 projects; with more, one line for all, its project empty.',
        ['project'],
      ),
      spent: gauge(
        'darkroom_spent_micros',
        'Micro-USD spent so far, corrections included, which is why it may fall. By project as darkroom_held_micros.',
        ['project'],
      ),
      deliveries: gauge(
        'darkroom_webhook_deliveries_pending',
        'Webhook deliveries that are on their way, those that wait for their next try included.',
      ),
      deliveryAge: gauge(
        'darkroom_webhook_oldest_pending_seconds',
        'How long ago the event of the oldest of them happened; 0 when there is none.',
      ),
      resting: gauge(
        'darkroom_provider_resting',
        '1 while a provider, or one model of it, is given no new work. An empty model stands for all.',
        ['provider', 'model'],
      ),
      readSeconds: gauge(
        'darkroom_database_read_seconds',
        'How long it took to read the gauges about rows from the database.',
      ),
      up: gauge('darkroom_database_up', '1 when these gauges could be read; 0 when they are the last known.'),
    },

    build: gauge(
      'darkroom_build_info',
      'Always 1; its labels say which Darkroom is running, and on which database.',
      ['version', 'database'],
    ),
  }
}

/** Adds what is known of the process itself: memory, processor time, file handles, the event loop and its garbage. */
export function watchProcess({ registry }: Metrics): void {
  collectDefaultMetrics({ register: registry })
}
