import type { AssetRow } from '../../db/tables/tables.ts'
import { countImages, listImages } from '../../db/tasks/assets.ts'
import { builder, withoutNulls } from '../builder.ts'
import { connectionType, keysetOf, pageArguments, readPage, weightOfPage } from '../connection.ts'
import { ImageKindEnum, ImageRef } from '../image.ts'
import { requires } from '../scopes.ts'
import { readFilter, TaskFilterInput } from './task-filter.ts'

const ImageFilterInput = builder.inputType('ImageFilter', {
  description: 'Conditions on images, all of which must hold. An absent field does not restrict.',
  fields: (t) => ({
    kinds: t.field({
      type: [ImageKindEnum],
      defaultValue: ['FINAL'],
      description: 'Kinds of images. Results only by default. An empty list matches none.',
    }),
    createdFrom: t.field({ type: 'DateTime', description: 'Stored at this time or later.' }),
    createdTo: t.field({ type: 'DateTime', description: 'Stored before this time.' }),
    task: t.field({
      type: TaskFilterInput,
      description: 'Conditions on the task that it belongs to. May have to read all images of the project.',
    }),
  }),
})

const newestFirst = keysetOf<AssetRow>('img', ({ createdAt }) => createdAt)

const ImageConnectionRef = connectionType<AssetRow>('Image', {
  description: 'A page of images, newest first.',
  node: ImageRef,
  keyset: newestFirst,
})

builder.queryField('images', (t) =>
  t.field({
    type: ImageConnectionRef,
    ...requires('READ', "Images of the caller's project, newest first. Errors: CURSOR_INVALID."),
    complexity: (page) => weightOfPage(page),
    args: {
      filter: t.arg({ type: ImageFilterInput, description: 'Which images to return. Results by default.' }),
      ...pageArguments(),
    },
    resolve(_, { filter: given, ...page }, { db, projectId }) {
      const { task, ...own } = withoutNulls(given ?? {})
      const filter = { kinds: ['FINAL' as const], ...own, ...(task && { task: readFilter(task) }) }
      return readPage(page, newestFirst, {
        list: (range) => listImages(task ? db.reports : db.read, projectId, filter, range),
        count: () => countImages(db.reports, projectId, filter),
      })
    },
  }),
)
