// The three GraphQL documents of the demo. It knows nothing else of the server.
import type { OutputFormat, Quality } from '../../domain.ts'

export interface GenerateImageInput {
  prompt: string
  partialImages: number
  n: number
  idempotencyKey: string
  size?: string
  model?: string
  quality?: Quality
  outputFormat?: OutputFormat
  providers?: string[]
}

export const GENERATE_IMAGE = /* GraphQL */ `
  mutation Demo($input: GenerateImageInput!) {
    generateImage(input: $input) {
      id
      status
      warnings {
        message
      }
    }
  }
`

export const TASK_EVENTS = /* GraphQL */ `
  subscription DemoEvents($id: ID!, $after: String) {
    taskEvents(taskId: $id, after: $after) {
      __typename
      cursor
      at
      task {
        status
        progress
        queuePosition
      }
      ... on PartialImageReceived {
        partialImage {
          index
          image {
            url
            width
            height
          }
        }
      }
      ... on TaskFinished {
        status
      }
    }
  }
`

export const TASK = /* GraphQL */ `
  query DemoTask($id: ID!) {
    task(id: $id) {
      status
      provider {
        name
        dialect
      }
      model
      images {
        id
        url
        width
        height
        byteSize
        mimeType
        revisedPrompt
      }
      usage {
        inputTokens
        outputTokens
        totalTokens
        inputTokensDetails {
          textTokens
          imageTokens
        }
        outputTokensDetails {
          textTokens
          imageTokens
        }
        source
      }
      costMicros
      charged
      error {
        code
        message
        charged
        retryable
      }
      warnings {
        code
        field
        message
      }
      attempts {
        number
        state
      }
      createdAt
      startedAt
      finishedAt
    }
  }
`
