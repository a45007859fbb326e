'use client'
/**
 * Hooks and an image element for React 18 and newer. See docs/react.md.
 *
 * ```tsx
 * const { generate, task, isPending } = useGenerateImage()
 * return <TaskImage task={task} sizes="512px" />
 * ```
 */
export { DarkroomProvider, useDarkroom } from './context.ts'
export { TaskImage, type TaskImageProps } from './task-image.ts'
export { useGenerateImage, type ImageGeneration } from './use-generate-image.ts'
export { useTask, type TaskView } from './use-task.ts'
export { useTaskFeed, type TaskFeedView } from './use-task-feed.ts'
