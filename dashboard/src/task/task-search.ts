export const TABS = ['money', 'events', 'request'] as const

export type Tab = (typeof TABS)[number]

/** Parameters of the URL of a task. */
export interface TaskSearch {
  /** Which of several results. Absent for the first. */
  img?: number | undefined
  tab?: Tab | undefined
  /** That is marked in the tab Money. */
  attempt?: string | undefined
}

export function readTaskSearch(given: Readonly<Record<string, unknown>>): TaskSearch {
  const img = Number(given['img'])
  const tab = TABS.find((one) => one === given['tab'])
  const { attempt } = given
  return {
    ...(Number.isInteger(img) && img > 0 && { img }),
    ...(tab && { tab }),
    ...(typeof attempt === 'string' && /^att_\w{1,100}$/.test(attempt) && { attempt }),
  }
}
