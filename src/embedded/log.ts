/** Such as `console` or pino. */
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

/** For log lines without secrets. */
export function forwardTo(log: GatewayLog): { write(line: string): void } {
  return {
    write(line) {
      const entry: { level: string; time: string; msg?: string } = JSON.parse(line)
      const { level, time: _, msg = '', ...fields } = entry
      log[METHODS[level] ?? 'info'](fields, msg)
    },
  }
}
