// The fields of the Studio as they are shown, and as the capabilities of a model say; and the masks that it sends.
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import type { ModelCapabilities } from '../../dashboard/src/api/generated.ts'
import { wordOf } from '../../dashboard/src/studio/words.ts'

/** Texts of the options by the name of their field. */
export function shownFields(page: Page): Promise<Record<string, string[]>> {
  return page.evaluate(() => {
    const groups = [...document.querySelectorAll('aside [role=group][aria-labelledby]')].filter(
      // Those of every model.
      (group) => !group.closest('details'),
    )
    return Object.fromEntries(
      groups.map((group) => [
        document.getElementById(group.getAttribute('aria-labelledby') ?? '')?.textContent ?? '',
        [...group.querySelectorAll('label')].map((label) => label.innerText.trim()),
      ]),
    )
  })
}

/** Without sizes and numbers. A field without a choice is not shown. */
export function expectedFields(can: ModelCapabilities): Record<string, string[]> {
  return {
    ...field('Quality', withAuto(can.qualities)),
    ...field('Format', can.outputFormats),
    ...field('Background', withAuto(can.backgrounds)),
    ...field('Style', withDefault(can.styles)),
    ...field('Planning', withDefault(can.complexities)),
    ...field('Content filter', withAuto(can.moderations)),
  }
}

function field(name: string, values: readonly (string | null)[]): Record<string, string[]> {
  return values.length > 1 ? { [name]: values.map(wordOf) } : {}
}

function withAuto(values: readonly string[]): string[] {
  return ['AUTO', ...values.filter((one) => one !== 'AUTO')]
}

function withDefault(values: readonly string[]): (string | null)[] {
  return values.length > 0 ? [null, ...values] : []
}

/** Alpha of each pixel, row by row. */
export async function readAlphas(png: Buffer): Promise<{ alphas: number[]; width: number; height: number }> {
  const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  const alphas = Array.from({ length: width * height }, (_, index) => data[index * channels + 3] ?? -1)
  return { alphas, width, height }
}
