/** `850 B`, `12 KB`, `3.4 MB`, in units of 1,024. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`
  if (bytes < 1_024 * 1_024) return `${Math.round(bytes / 1_024)} KB`
  return `${(bytes / 1_024 / 1_024).toFixed(1).replace(/\.0$/, '')} MB`
}
