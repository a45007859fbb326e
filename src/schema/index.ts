// Registers every noun with the builder, and builds the schema once.
import './scalars.ts'
import './enums.ts'
import './node.ts'
import './usage.ts'
import './image.ts'
import './provider.ts'
import './attempt.ts'
import './task.ts'
import './review.ts'
import './task-request.ts'
import './tasks.ts'
import './event.ts'
import './generate-image.ts'
import './webhook.ts'
import './webhook-delivery.ts'
import { builder } from './builder.ts'

export const schema = builder.toSchema()
