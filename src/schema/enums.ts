import type {
  AttemptState,
  Background,
  Charged,
  DeliveryFailure,
  DeliveryState,
  InputFidelity,
  Moderation,
  Operation,
  OutputFormat,
  Quality,
  Style,
  TaskErrorCode,
  TaskStatus,
  UnknownOutcomePolicy,
  UnsupportedPolicy,
  UsageSource,
  WarningCode,
  WebhookEvent,
  WirePhase,
} from '../domain.ts'
import { builder } from './builder.ts'

export const TaskStatusEnum = words<TaskStatus>(
  'TaskStatus',
  'Where a task stands. SUCCEEDED, FAILED and CANCELED are final.',
  {
    QUEUED: 'Waiting for a provider to have room; nothing has been sent.',
    RUNNING: 'A provider is working on it, or is about to.',
    OUTCOME_UNKNOWN:
      'It was sent and its answer was lost: it may have been charged. It is not sent again without permission; a late result still ends it.',
    SUCCEEDED: 'All its images are stored.',
    FAILED: 'It ended without a result; `error` says why and whether it was charged.',
    CANCELED:
      'Its owner stopped it. If a provider had begun, `charged` tells the truth and the images may still be there.',
  },
)

export const OperationEnum = words<Operation>(
  'Operation',
  'What kind of work it is; follows from the input.',
  {
    GENERATE: 'From a prompt alone.',
    EDIT: 'From a prompt and 1 to 16 input images.',
  },
)

export const AttemptStateEnum = words<AttemptState>(
  'AttemptState',
  'Where an attempt stands: one try of a task at one provider.',
  {
    PLANNED: 'Waiting in the queue for its time and for room at its provider.',
    LEASED: 'Taken by a worker; nothing has been sent.',
    SENDING: 'The intent to send is on record; bytes may have left.',
    ACCEPTED: 'The provider took it and is asked from time to time how it is doing.',
    UNKNOWN: 'Nobody can say how it ended. It may have been charged.',
    SUCCEEDED: 'Its images are stored. It was charged.',
    REJECTED: 'The provider said no. Not charged.',
    NOT_SENT: 'Provably nothing left this server. Not charged.',
    FAILED: 'It ended badly and may have been charged.',
    CANCELED: 'Stopped before anything was sent. Not charged.',
  },
)

export const ChargedEnum = words<Charged>(
  'Charged',
  'Whether money was spent, as far as can be proved. Missing proof is UNKNOWN, never NO.',
  {
    NO: 'Certainly nothing was charged.',
    YES: 'The provider worked and charges for it.',
    UNKNOWN: 'It may have been charged; nobody can say yet.',
  },
)

export const WirePhaseEnum = words<WirePhase>(
  'WirePhase',
  'How far a request provably got: the evidence for whether it can have been charged.',
  {
    NONE: 'No request has been made yet.',
    INTENT: 'The decision to send is on record; no byte is known to have left.',
    DISPATCHED: 'The request was handed to an open connection.',
    HEADERS: 'The status line and headers of an answer came back.',
    BODY_DONE: 'The whole answer was read.',
  },
)

export const QualityEnum = words<Quality>(
  'Quality',
  'How much work goes into a picture; the main factor of its price. Which of them a model takes is data.',
  {
    AUTO: 'The model chooses.',
    LOW: 'Quickest and cheapest: drafts.',
    MEDIUM: 'The usual choice.',
    HIGH: 'Best of the GPT image models up to gpt-image-2; four times the tokens of MEDIUM.',
    STANDARD: 'dall-e models: the ordinary quality.',
    HD: 'dall-e-3: finer detail.',
    XHIGH: 'gpt-image-2.5 models: above HIGH.',
    MAX: 'gpt-image-2.5 models: the most.',
  },
)

export const BackgroundEnum = words<Background>('Background', 'What is behind the subject.', {
  AUTO: 'The model chooses.',
  OPAQUE: 'A filled background.',
  TRANSPARENT: 'None: PNG and WEBP only.',
})

export const ModerationEnum = words<Moderation>(
  'Moderation',
  "How strict the upstream's content filter is.",
  {
    AUTO: 'As the upstream thinks fit.',
    LOW: 'Lets more pass than AUTO does.',
  },
)

export const OutputFormatEnum = words<OutputFormat>('OutputFormat', 'The file format of a picture.', {
  PNG: 'Lossless, can be transparent; the largest.',
  JPEG: 'Lossy, never transparent; usually the quickest to come.',
  WEBP: 'Lossy or lossless, can be transparent; the smallest.',
})

export const InputFidelityEnum = words<InputFidelity>(
  'InputFidelity',
  'How closely an edit keeps to its input images. gpt-image-2 is always faithful and takes no such setting.',
  {
    HIGH: 'Keeps faces and details; costs more input tokens.',
    LOW: 'Takes them as a hint, for fewer input tokens.',
  },
)

export const StyleEnum = words<Style>('Style', 'How dramatic a picture is. Only dall-e-3 can be told.', {
  VIVID: 'Hyper-real and dramatic.',
  NATURAL: 'More natural, less dramatic.',
})

export const UnsupportedEnum = words<UnsupportedPolicy>(
  'Unsupported',
  'What happens when no provider can honour a setting.',
  {
    WARN: 'The nearest possible is sent and `Task.warnings` names each difference.',
    ERROR: 'The request is refused before anything is stored or sent.',
  },
)

export const OnUnknownOutcomeEnum = words<UnknownOutcomePolicy>(
  'OnUnknownOutcome',
  'What happens when an answer is lost after the request was sent.',
  {
    HOLD: 'The task stands as OUTCOME_UNKNOWN until a late result or a decision ends it.',
    RESEND: 'It is sent again, up to `maxCharges` possible charges: an explicit permission to pay twice.',
  },
)

export const UsageSourceEnum = words<UsageSource>('UsageSource', 'Where the token counts come from.', {
  REPORTED: 'The provider reported them.',
  ESTIMATED: 'Computed here from published figures.',
  UNKNOWN: 'Nobody knows: every count is null, which is not zero.',
})

export const WarningCodeEnum = words<WarningCode>(
  'WarningCode',
  'What kind of difference there is between what was asked and what is sent, or what came.',
  {
    SETTING_IGNORED: 'A setting is left out.',
    SETTING_CHANGED: 'A setting is replaced by another value.',
    IMAGES_MISSING: 'A part of the task ended without its images; the others came.',
    SIZE_DIFFERS: 'Images came in another size than the one that was asked for; they are kept.',
    MODEL_RETIRING: 'The model will be shut down, or already was; the message says when.',
  },
)

export const TaskErrorCodeEnum = words<TaskErrorCode>(
  'TaskErrorCode',
  'What an upstream did, in words that do not depend on which one it was.',
  {
    MODERATION_BLOCKED: "The upstream's content filter refused the prompt, an input or the result.",
    PROVIDER_RATE_LIMITED: 'Too many requests for the upstream at this moment.',
    PROVIDER_QUOTA: "The operator's account there has no credit left.",
    PROVIDER_REJECTED: 'The upstream refused the request as it is.',
    PROVIDER_MISCONFIGURED: "The operator's credentials or settings for the upstream are wrong.",
    PROVIDER_UNREACHABLE: 'No connection to the upstream could be made; nothing was sent.',
    PROVIDER_BROKEN: 'The upstream answered with something that makes no sense.',
    RESULT_UNREACHABLE: 'The upstream made an image and gave an address at which it cannot be fetched.',
    INPUT_IMAGE_INVALID: 'An input image turned out not to be usable.',
    INPUT_IMAGE_UNREACHABLE: 'An input image could not be fetched from its address.',
    OUTCOME_UNKNOWN: 'The answer was lost after the request had been sent.',
    INTERNAL: 'The gateway itself failed before anything was sent.',
  },
)

export const WebhookEventEnum = words<WebhookEvent>(
  'WebhookEvent',
  'What a webhook can be told. In a payload, `type` is the same in lower case with a dot: task.succeeded.',
  {
    TASK_SUCCEEDED: 'All images of a task are stored; the payload links to them.',
    TASK_FAILED: 'A task ended without a result.',
    TASK_CANCELED: 'A task was stopped by its owner; it may have been charged.',
    TASK_OUTCOME_UNKNOWN:
      'An answer was lost after sending, so somebody may have to decide. Its end may still follow.',
  },
)

export const DeliveryStateEnum = words<DeliveryState>(
  'WebhookDeliveryState',
  'Whether a webhook has been told.',
  {
    PENDING: 'On its way: it is tried at once, then ten times in all over three days.',
    SUCCEEDED: 'The receiver answered with a 2xx status.',
    FAILED: 'Given up: every try failed, the receiver is gone, or the webhook was deleted.',
  },
)

export const DeliveryFailureEnum = words<DeliveryFailure>('WebhookFailure', 'Why one try did not succeed.', {
  REFUSED: 'It was answered with a 4xx or 5xx status.',
  REDIRECTED: 'It was answered with a 3xx status, which is never followed.',
  GONE: 'It was answered with 410: nothing more is sent there.',
  TIMED_OUT: 'No answer came within 15 seconds.',
  UNREACHABLE: 'No connection could be made, or it broke before an answer came.',
  ADDRESS_FORBIDDEN: 'Its host resolves to an address that is not public.',
})

/** An enum whose every value is described, or it does not compile. */
function words<Word extends string>(name: string, description: string, values: Record<Word, string>) {
  return builder.enumType(name, {
    description,
    // fromEntries forgets which keys there are.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    values: Object.fromEntries(
      Object.entries(values).map(([word, text]) => [word, { value: word, description: text }]),
    ) as Record<Word, { value: Word; description: string }>,
  })
}
