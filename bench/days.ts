export const DAY_MS = 86_400_000
/** The rows of a filled database are spread evenly over the year that ends at `TO`. */
export const TO = Date.UTC(2026, 10, 1)
export const FROM = TO - 365 * DAY_MS
