/** A value that is there, or will be. */
export type MaybePromise<T> = T | Promise<T>

/** Calls `use` at once if the value is there: a promise for each of a thousand viewers costs more than their reads. */
export function whenReady<T, R>(value: MaybePromise<T>, use: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(use) : use(value)
}

export function allReady<T>(values: MaybePromise<T>[]): MaybePromise<T[]> {
  return values.every((value): value is T => !(value instanceof Promise)) ? values : Promise.all(values)
}
