import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import {
  CallToolRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  type Tool as ListedTool,
} from '@modelcontextprotocol/sdk/types.js'
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv'
import { z } from 'zod'
import { TOOLS } from './tools.ts'
import { runTool, type CallEnvironment } from './run-tool.ts'
import { IMAGE_TEMPLATE, listRecentImages, readImage } from './resources.ts'
import { toMcpError } from './tool-error.ts'

const INSTRUCTIONS =
  'Darkroom makes images with paid providers. generate_image and edit_image cost money; every result names its cost. A call ' +
  'that timed out or was cut off continues on the server: make the same call again, or call get_task without arguments to ' +
  'find it. Neither is charged twice. To get another image from the same arguments, pass `variant`.'

/** Required but unused; creating one takes a millisecond. */
const jsonSchemaValidator = new AjvJsonSchemaValidator()

/** The same for every caller: a call explains a missing scope. */
const LISTED_TOOLS = TOOLS.map(({ name, description, annotations, input, output }): ListedTool => ({
  name,
  title: annotations.title,
  description,
  annotations,
  inputSchema: toSchema(input, 'input'),
  outputSchema: toSchema(output, 'output'),
}))

/** For one HTTP request. */
export function createMcpServer(environment: CallEnvironment): Server {
  const { context } = environment
  const server = new Server(
    { name: 'darkroom', title: 'Darkroom', version: context.server.version },
    { capabilities: { tools: {}, resources: {} }, instructions: INSTRUCTIONS, jsonSchemaValidator },
  )
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: LISTED_TOOLS }))
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => runTool(params, extra, environment))
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [IMAGE_TEMPLATE],
  }))
  server.setRequestHandler(ListResourcesRequestSchema, () => withMcpErrors(() => listRecentImages(context)))
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }) =>
    withMcpErrors(() => readImage(context, params.uri)),
  )
  return server

  async function withMcpErrors<Result>(read: () => Promise<Result>): Promise<Result> {
    try {
      return await read()
    } catch (error) {
      throw toMcpError(error, context.log)
    }
  }
}

/** Clients validate results with it. Every client reads draft-07. */
function toSchema(type: z.ZodObject, io: 'input' | 'output'): ListedTool['inputSchema'] {
  const schema = z.toJSONSchema(type, {
    target: 'draft-7',
    io,
    override({ jsonSchema: one }) {
      // The bounds of every integer: they would be a quarter of the list, which models read.
      if (one.minimum === Number.MIN_SAFE_INTEGER) delete one.minimum
      if (one.maximum === Number.MAX_SAFE_INTEGER) delete one.maximum
    },
  })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of an object
  return schema as ListedTool['inputSchema']
}
