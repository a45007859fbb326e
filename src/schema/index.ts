// Each import registers the types of one noun with the builder.
import './scalars.ts'
import './enums.ts'
import './node.ts'
import './image.ts'
import './images.ts'
import './model.ts'
import './provider.ts'
import './attempt.ts'
import './task.ts'
import './review.ts'
import './review-filter.ts'
import './review-many.ts'
import './bill.ts'
import './result-address.ts'
import './task-request.ts'
import './tasks.ts'
import './event.ts'
import './generate-image.ts'
import './usage-report.ts'
import './webhook.ts'
import './project.ts'
import './api-key.ts'
import './ledger.ts'
import './budget.ts'
import './data-folder.ts'
import './limits.ts'
import './audit.ts'
import './viewer.ts'
import { builder } from './builder.ts'
import { withRights } from './scopes.ts'
import { withStorableArguments } from './storable-arguments.ts'

export const schema = withStorableArguments(withRights(builder.toSchema()))

schema.description =
  'Darkroom, a self-hosted gateway for paid image generation. generateImage returns a task at once; taskEvents delivers its ' +
  'progress and result. Every error has a machine-readable `extensions.code`. Invalid input is BAD_USER_INPUT, with the path ' +
  'of the input field in `extensions.field`.'
