import { and, asc, eq, inArray, isNull, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { ImageRequest, InputImage } from '../../domain.ts'
import { newId } from '../../ids.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { rowBy } from '../connection/statement.ts'
import type { AssetRow, DeletedImageRow, TaskRow } from '../tables/tables.ts'
import { insertAssets, type NewAsset } from './assets.ts'

/** Undefined for an existing image, and for one that retention removed. */
export const findDeletedImage = rowBy('deletedImages', 'id')

export async function listDeletedImages(q: Queries, taskIds: readonly string[]): Promise<DeletedImageRow[]> {
  const { deletedImages } = q.tables
  return q.sql.select().from(deletedImages).where(inArray(deletedImages.taskId, taskIds))
}

/** Hold the task's lock. Other tasks that began with an image keep it as an input image of their own. */
export async function deleteImages(q: Transaction, images: readonly AssetRow[], at: number): Promise<void> {
  if (images.length === 0) return
  const { assets, deletedImages } = q.tables
  await keepForOthers(q, images, at)
  const deleted = images.map(({ id, projectId, taskId, attemptId, kind, position }) => {
    return { id, projectId, taskId, attemptId, kind, position, deletedAt: at }
  })
  await q.sql.insert(deletedImages).values(deleted)
  await q.sql.delete(assets).where(inArray(assets.id, idsOf(images)))
}

async function keepForOthers(q: Transaction, images: readonly AssetRow[], at: number): Promise<void> {
  const { taskInputs, tasks } = q.tables
  const isUsed = inArray(taskInputs.assetId, idsOf(images))
  const uses = await q.sql.delete(taskInputs).where(isUsed).returning({ taskId: taskInputs.taskId })
  const others = new Set(uses.map(({ taskId }) => taskId))
  for (const { taskId } of images) others.delete(taskId)
  if (others.size === 0) return
  // In one order, against deadlocks.
  const query = q.sql
    .select()
    .from(tasks)
    .where(and(inArray(tasks.id, [...others]), isNull(tasks.deletedAt)))
    .orderBy(asc(tasks.id))
  const users = await (q.dialect === 'postgresql' ? query.for('update') : query)
  for (const user of users) {
    const { request, copies } = withOwnInputs(user, images, at)
    await insertAssets(q, copies)
    await q.sql.update(tasks).set({ request }).where(eq(tasks.id, user.id))
    const inputs = copies.map(({ id: assetId }) => ({ assetId, taskId: user.id }))
    if (inputs.length > 0) await q.sql.insert(taskInputs).values(inputs)
  }
}

function withOwnInputs(
  { id: taskId, projectId, request }: TaskRow,
  images: readonly AssetRow[],
  at: number,
): { request: ImageRequest; copies: NewAsset[] } {
  const byId = new Map(images.map((image) => [image.id, image]))
  const copies: NewAsset[] = []
  const own = (image: InputImage, kind: 'INPUT' | 'MASK' | 'MARKUP', position: number): InputImage => {
    const original = 'assetId' in image ? byId.get(image.assetId) : undefined
    if (!original) return image
    const { sha256, byteSize, mimeType, width, height } = original
    const file = { sha256, byteSize, mimeType, width, height }
    const copy = { id: newId('img', at), taskId, projectId, kind, position, ...file, createdAt: at }
    copies.push(copy)
    return { assetId: copy.id }
  }
  const changed = {
    ...request,
    images: request.images.map((image, position) => own(image, 'INPUT', position)),
    mask: request.mask && own(request.mask, 'MASK', 0),
    // Tasks of version 0.2 have no such field.
    markup: request.markup ? own(request.markup, 'MARKUP', 0) : null,
  }
  return { request: changed, copies }
}

export interface ImagePlace {
  attemptId: string
  position: number
}

/** Also of deleted images, by position. */
export async function listPlaces(q: Queries, attemptIds: readonly string[]): Promise<ImagePlace[]> {
  const { assets, deletedImages } = q.tables
  const placesIn = ({ attemptId, kind, position }: typeof assets | typeof deletedImages, from: PgTable) =>
    q.sql
      .select({ attemptId: sql<string>`${attemptId}`, position: sql`${position}`.mapWith(Number) })
      .from(from)
      .where(and(inArray(attemptId, attemptIds), eq(kind, 'FINAL')))
  const places = [...(await placesIn(assets, assets)), ...(await placesIn(deletedImages, deletedImages))]
  return places.toSorted((a, b) => a.position - b.position)
}

function idsOf(images: readonly AssetRow[]): string[] {
  return images.map(({ id }) => id)
}
