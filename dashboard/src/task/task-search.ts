export const TABS = ['money', 'events', 'request'] as const

export type Tab = (typeof TABS)[number]

/** Parameters of the URL of a task. */
export interface TaskSearch {
  /** Which of several results. Absent for the first. */
  img?: number | undefined
  tab?: Tab | undefined
}

export function readTaskSearch(given: Readonly<Record<string, unknown>>): TaskSearch {
  const img = Number(given['img'])
  const tab = TABS.find((one) => one === given['tab'])
  return { ...(Number.isInteger(img) && img > 0 && { img }), ...(tab && { tab }) }
}
