/** Where log lines go. `console`, pino and most other loggers have these methods. */
export interface GatewayLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

const METHODS: Readonly<Record<string, keyof GatewayLog>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  error: 'error',
  fatal: 'error',
}

/** Passes finished log lines on, so that secrets are removed before another logger sees them. */
export function forwardTo(log: GatewayLog): { write(line: string): void } {
  return {
    write(line) {
      const entry: { level: string; time: string; msg?: string } = JSON.parse(line)
      const { level, time: _, msg = '', ...fields } = entry
      log[METHODS[level] ?? 'info'](fields, msg)
    },
  }
}
