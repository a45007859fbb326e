import { estimateCost } from './estimate-cost.ts'
import { getTaskTool } from './get-task.ts'
import { getUsage } from './get-usage.ts'
import { listModels } from './list-models.ts'
import { editImage, generateImage } from './make-image.ts'
import type { Tool } from './tool.ts'

export const TOOLS: readonly Tool[] = [
  generateImage,
  editImage,
  getTaskTool,
  listModels,
  estimateCost,
  getUsage,
]

export function findTool(name: string): Tool | undefined {
  return TOOLS.find((tool) => tool.name === name)
}
