import type * as domain from '../domain.ts'
import { describedEnum } from './builder.ts'

export const TaskStatus = describedEnum<domain.TaskStatus>('TaskStatus', {
  description: 'State of a task. SUCCEEDED, FAILED and CANCELED are final.',
  QUEUED: 'In the queue of a provider; no request is in progress.',
  RUNNING: 'A request is being sent, a provider is working on it, or its images are being downloaded.',
  OUTCOME_UNKNOWN:
    'A request may have been sent and charged, and its response was lost. It is not sent again without permission. A ' +
    'late result still ends the task.',
  SUCCEEDED: 'Ended with stored images. Missing ones are named in `warnings`.',
  FAILED:
    'Ended without an image. `error` has the cause, `charged` tells whether it cost money. `images` holds what an operator ' +
    'fetched later.',
  CANCELED:
    'Ended by its owner. If a provider had started, `charged` may be YES or UNKNOWN and `images` may hold its result, now or ' +
    'later.',
})

export const Operation = describedEnum<domain.Operation>('Operation', {
  description: 'Kind of image generation, derived from the input.',
  GENERATE: 'Images from a prompt alone.',
  EDIT: 'Images from a prompt and 1 to 16 input images.',
})

export const AttemptState = describedEnum<domain.AttemptState>('AttemptState', {
  description: 'State of an attempt. SUCCEEDED, REJECTED, NOT_SENT, FAILED and CANCELED are final.',
  PLANNED: 'In the queue, until it is due and its provider has free capacity.',
  LEASED: 'Claimed by a worker process. Nothing has been sent.',
  SENDING: 'The intent to send is committed. Bytes may have left this server.',
  ACCEPTED: 'Accepted by the provider, which is polled for the result.',
  FETCHING:
    'The provider has made the images, and charges for them. They are downloaded from the addresses in its response.',
  UNKNOWN: 'The outcome is unknown, and it may have been charged. See attemptsNeedingReview.',
  SUCCEEDED: 'Its images are stored. It was charged.',
  REJECTED: 'Refused by the provider. Not charged.',
  NOT_SENT: 'Provably nothing left this server. Not charged.',
  FAILED: 'Ended without a result after it was sent, and was or may have been charged.',
  CANCELED: 'Canceled before anything was sent. Not charged.',
})

export const Charged = describedEnum<domain.Charged>('Charged', {
  description:
    'Whether a provider charges for the work, as far as it can be proved. Missing proof is UNKNOWN, never NO.',
  NO: 'Provably not charged.',
  YES: 'The provider did the work and charges for it.',
  UNKNOWN: 'Possibly charged; there is no proof either way.',
})

export const UncertainCharge = describedEnum<domain.UncertainCharge>('UncertainCharge', {
  description: 'Kind of a failure after which there is no proof whether the provider charges.',
  MODERATION: 'Moderation refused it, possibly after an image was made.',
  FAILURE: 'The provider failed: an error, a status of 500 or more, or an unreadable response.',
  TIMEOUT: 'It was sent, and no complete response was received.',
})

export const WirePhase = describedEnum<domain.WirePhase>('WirePhase', {
  description: 'Furthest point that an HTTP request provably reached: the evidence for `Attempt.charged`.',
  NONE: 'No request has been made.',
  INTENT: 'The intent to send is committed; no byte is known to have left.',
  DISPATCHED: 'The request was handed to an open connection.',
  HEADERS: 'The status line and headers of the response were received.',
  BODY_DONE: 'The whole response body was read.',
})

export const Quality = describedEnum<domain.Quality>('Quality', {
  description:
    'Amount of work per image, the main factor of its price. `Capabilities.qualities` lists the values that a model supports.',
  AUTO: 'The provider chooses; see `Task.resolvedSettings`.',
  LOW: 'Fastest and cheapest, for drafts.',
  MEDIUM: 'Standard choice of the GPT image models.',
  HIGH: 'Highest quality of the GPT image models up to gpt-image-2; four times the tokens of MEDIUM.',
  STANDARD: 'Ordinary quality of the dall-e models.',
  HD: 'Finer detail; dall-e-3 only.',
  XHIGH: 'Above HIGH; gpt-image-2.5 models only.',
  MAX: 'Highest quality of the gpt-image-2.5 models.',
})

export const Background = describedEnum<domain.Background>('Background', {
  description: 'Whether the area behind the subject is filled or transparent.',
  AUTO: 'The provider chooses; see `Task.resolvedSettings`.',
  OPAQUE: 'A filled background.',
  TRANSPARENT: 'No background. Requires PNG or WEBP.',
})

export const Moderation = describedEnum<domain.Moderation>('Moderation', {
  description: "Strictness of the provider's content filter.",
  AUTO: 'The default strictness of the provider.',
  LOW: 'Less strict than AUTO.',
})

export const OutputFormat = describedEnum<domain.OutputFormat>('OutputFormat', {
  description: 'File format of an image.',
  PNG: 'Lossless, with transparency; the largest files.',
  JPEG: 'Lossy, without transparency; usually the fastest to arrive.',
  WEBP: 'Lossy or lossless, with transparency; the smallest files.',
  GIF: 'An animation of 256 colors; see `animation`. Refused where a model does not make it.',
  SVG: 'Vector graphics, written by the model in `svg`. Refused where a model does not make it.',
})

export const Complexity = describedEnum<domain.Complexity>('Complexity', {
  description: 'Computation spent on planning an image, independent of its quality.',
  LOW: 'Least time spent on planning.',
  MEDIUM: 'More planning than LOW.',
  HIGH: 'Most time spent on planning.',
})

export const SvgEffort = describedEnum<domain.SvgEffort>('SvgEffort', {
  description: 'Reasoning effort of the author of an SVG. Reasoning tokens are charged as output.',
  NONE: 'Writes without any reasoning.',
  MINIMAL: 'More reasoning than NONE.',
  LOW: 'More reasoning than MINIMAL.',
  MEDIUM: 'More reasoning than LOW.',
  HIGH: 'More reasoning than MEDIUM.',
  XHIGH: 'More reasoning than HIGH.',
  MAX: 'Most reasoning, at the highest cost.',
})

export const InputFidelity = describedEnum<domain.InputFidelity>('InputFidelity', {
  description:
    'How closely an edit follows its input images. gpt-image-2 always follows them closely and has no such setting.',
  HIGH: 'Preserves faces and details; uses more input tokens.',
  LOW: 'Follows the inputs loosely; uses fewer input tokens.',
})

export const Style = describedEnum<domain.Style>('Style', {
  description: 'How dramatic an image looks; dall-e-3 only.',
  VIVID: 'Hyper-real and dramatic.',
  NATURAL: 'More natural, less dramatic.',
})

export const UnsupportedSettingPolicy = describedEnum<domain.UnsupportedSettingPolicy>(
  'UnsupportedSettingPolicy',
  {
    description: 'What happens when a provider does not support a setting.',
    WARN: 'The nearest supported value is sent, or the setting is left out. `Task.warnings` names each difference.',
    ERROR:
      'The provider is not eligible. CAPABILITY_MISSING if none is left; nothing is stored or sent then.',
  },
)

export const UnknownOutcomePolicy = describedEnum<domain.UnknownOutcomePolicy>('UnknownOutcomePolicy', {
  description: 'What happens when a response is lost after the request was sent.',
  HOLD: 'The task becomes OUTCOME_UNKNOWN, until a late result or a decision ends it.',
  RESEND:
    'The request is sent again, up to `maxCharges` possible charges: explicit permission to pay more than once. It waits ' +
    'while proof of the first result may still arrive, up to `engine.resendGraceMs` of the configuration.',
})

export const UsageSource = describedEnum<domain.UsageSource>('UsageSource', {
  description: 'Origin of the token counts.',
  REPORTED: 'Reported by the provider.',
  ESTIMATED: 'Computed by Darkroom from published figures.',
  UNKNOWN: 'Not reported, or of several sources. Unreported counts are null, never zero.',
})

export const WarningCode = describedEnum<domain.WarningCode>('WarningCode', {
  description: 'Kind of difference between the request and what is sent or was received.',
  SETTING_IGNORED: 'A setting is left out.',
  SETTING_CHANGED: 'A setting is replaced by another value.',
  IMAGES_MISSING: 'The number of images differs from `n`; those that were returned are kept.',
  SIZE_DIFFERS: 'Images have another size than requested; they are kept.',
  FORMAT_DIFFERS: 'Images have another format than requested; they are kept.',
  BACKGROUND_DIFFERS: 'Images are transparent where OPAQUE was requested, or the reverse; they are kept.',
  MODEL_RETIRING: 'The model is shut down within 30 days; the message has the date and the successor.',
})

export const TaskErrorCode = describedEnum<domain.TaskErrorCode>('TaskErrorCode', {
  description: 'Cause of a failure. The same codes apply to every provider.',
  MODERATION_BLOCKED: "The provider's content filter refused the prompt, an input or the result.",
  PROVIDER_RATE_LIMITED: 'The provider receives too many requests at the moment.',
  PROVIDER_QUOTA: "The operator's account at the provider has no credit left.",
  PROVIDER_REJECTED: 'The provider refused the request as it is.',
  PROVIDER_MISCONFIGURED: "The operator's credentials or settings for the provider are wrong.",
  PROVIDER_UNREACHABLE: 'No connection to the provider could be made; nothing was sent.',
  PROVIDER_BROKEN: 'The provider failed, or its response is not valid.',
  RESULT_UNREACHABLE: 'The provider made an image that cannot be fetched.',
  INPUT_IMAGE_INVALID: 'An input image turned out to be unusable.',
  INPUT_IMAGE_UNREACHABLE: 'An input image could not be fetched from its URL.',
  OUTCOME_UNKNOWN: 'The response was lost after the request was sent.',
  INTERNAL: 'Darkroom failed, either before anything was sent or while storing a paid image; see `charged`.',
})

export const WebhookEvent = describedEnum<domain.WebhookEvent>('WebhookEvent', {
  description:
    'Kind of webhook message. In the payload, `type` is in lower case with a dot after the first word, such as task.succeeded.',
  TASK_SUCCEEDED: 'The images of a task are stored; the payload links to them.',
  TASK_FAILED: 'A task ended without an image.',
  TASK_CANCELED: 'A task was canceled by its owner; it may have been charged.',
  TASK_OUTCOME_UNKNOWN:
    'A response was lost after sending; a decision may be needed. The task may still end.',
  WEBHOOK_TEST: 'Sent by sendTestWebhook only, whatever `Webhook.events` has; it cannot be chosen there.',
})

export const DeliveryState = describedEnum<domain.DeliveryState>('WebhookDeliveryState', {
  description: 'Progress of a delivery to its receiver.',
  PENDING: 'In progress. The first try is made at once, and up to ten over three days.',
  SUCCEEDED: 'The receiver responded with a 2xx status.',
  FAILED: 'Given up: every try failed, the receiver is gone, or the webhook was deleted.',
})

export const DeliveryFailure = describedEnum<domain.DeliveryFailure>('WebhookFailure', {
  description: 'Reason why a single try failed.',
  REFUSED: 'The response had a 4xx or 5xx status.',
  REDIRECTED: 'The response had a 3xx status; redirects are not followed.',
  GONE: 'The response had the status 410; nothing more is sent there.',
  TIMED_OUT: 'No response within 15 seconds.',
  UNREACHABLE: 'No connection could be made, or it broke before a response arrived.',
  ADDRESS_FORBIDDEN: 'The host resolves to an address that is not public.',
})
