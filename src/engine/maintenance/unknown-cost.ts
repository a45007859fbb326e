export const ESTIMATE_POLICIES = ['KEEP', 'ESTIMATE', 'MAXIMUM'] as const

/** For the hold of an ended attempt whose cost stays unknown. */
export interface UnknownCostPolicy {
  /** After its end. */
  afterMs: number
  /** KEEP keeps the hold, ESTIMATE posts the likely cost, MAXIMUM the held amount. */
  post: (typeof ESTIMATE_POLICIES)[number]
}
