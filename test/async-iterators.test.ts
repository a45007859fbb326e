import { describe, expect, it, vi } from 'vitest'
import { abortable, withHooks } from '../src/async-iterators.ts'

const DONE = { done: true, value: undefined }

/** A source that yields, fails or waits by script. Counts its calls of `next()` and `return()`. */
function scripted(steps: ('wait' | number | Error)[] = [], { close = async () => {} } = {}) {
  const waiting: ((result: IteratorResult<number, void>) => void)[] = []
  const next = vi.fn<() => Promise<IteratorResult<number, void>>>(() => {
    const step = steps.shift()
    if (step === 'wait') return new Promise((resolve) => waiting.push(resolve))
    if (step instanceof Error) return Promise.reject(step)
    return Promise.resolve(
      step === undefined ? { done: true, value: undefined } : { done: false, value: step },
    )
  })
  const closeSource = vi.fn<() => Promise<IteratorResult<number, void>>>(async () => {
    for (const resolve of waiting.splice(0)) resolve({ done: true, value: undefined })
    await close()
    return { done: true, value: undefined }
  })
  return { next, return: closeSource, [Symbol.asyncIterator]: () => ({ next, return: closeSource }) }
}

function fail(message: string): () => never {
  return () => {
    throw new Error(message)
  }
}

describe('a stream with hooks', () => {
  it('forwards every item, ends once, and does not close a source that has ended', async () => {
    const source = scripted([1, 2])
    const onEnd = vi.fn<() => void>()
    const stream = withHooks(source, { onItem: (item) => item * 10, onEnd })
    expect(await Array.fromAsync(stream)).toEqual([10, 20])
    expect(await stream.next()).toEqual(DONE)
    expect(await stream.return!()).toEqual(DONE)
    expect(onEnd).toHaveBeenCalledTimes(1)
    expect(source.next).toHaveBeenCalledTimes(3)
    expect(source.return).not.toHaveBeenCalled()
  })

  it('closes its source once, after onEnd, when its reader stops early', async () => {
    const order: string[] = []
    const source = scripted([1, 2], { close: async () => void order.push('closed') })
    const stream = withHooks(source, { onEnd: () => void order.push('end') })
    for await (const item of stream) {
      expect(item).toBe(1)
      break
    }
    expect(await Promise.all([stream.return!(), stream.return!()])).toEqual([DONE, DONE])
    expect(await stream.next()).toEqual(DONE)
    expect(order).toEqual(['end', 'closed'])
    expect(source.next).toHaveBeenCalledTimes(1)
  })

  it('can be closed before its first item', async () => {
    const source = scripted([1])
    const onEnd = vi.fn<() => void>()
    const stream = withHooks(source, { onEnd })
    expect(await stream.return!()).toEqual(DONE)
    expect(await stream.next()).toEqual(DONE)
    expect(source.next).not.toHaveBeenCalled()
    expect(source.return).toHaveBeenCalledTimes(1)
    expect(onEnd).toHaveBeenCalledTimes(1)
  })

  it('can be closed while it waits', async () => {
    const source = scripted(['wait'])
    const stream = withHooks(source, {})
    const pending = stream.next()
    expect(await stream.return!()).toEqual(DONE)
    expect(await pending).toEqual(DONE)
  })

  it('resolves several pending calls in order, and ends once', async () => {
    const source = scripted([1, 2])
    const onEnd = vi.fn<() => void>()
    const stream = withHooks(source, { onEnd })
    const results = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next()])
    expect(results).toEqual([{ done: false, value: 1 }, { done: false, value: 2 }, DONE, DONE])
    expect(onEnd).toHaveBeenCalledTimes(1)
  })

  it('rejects once with the error of its source, without closing that source', async () => {
    const source = scripted([1, new Error('broken'), new Error('broken again')])
    const onEnd = vi.fn<() => void>()
    const stream = withHooks(source, { onEnd })
    const results = await Promise.allSettled([stream.next(), stream.next(), stream.next()])
    expect(results).toMatchObject([
      { status: 'fulfilled', value: { value: 1 } },
      { status: 'rejected', reason: { message: 'broken' } },
      { status: 'fulfilled', value: DONE },
    ])
    expect(await stream.next()).toEqual(DONE)
    expect(onEnd).toHaveBeenCalledTimes(1)
    expect(source.return).not.toHaveBeenCalled()
  })

  it('ends with a last item in place of an error', async () => {
    const stream = withHooks(scripted([1, new Error('broken'), 2]), { onError: () => -1 })
    expect(await Array.fromAsync(stream)).toEqual([1, -1])
  })

  it('rejects with an error that its reader throws in, after the source is closed', async () => {
    const source = scripted([1, 2])
    const onError = vi.fn<() => number>()
    const stream = withHooks(source, { onError })
    await stream.next()
    await expect(stream.throw!(new Error('reader'))).rejects.toThrow('reader')
    expect(source.return).toHaveBeenCalledTimes(1)
    expect(onError).not.toHaveBeenCalled()
    expect(await stream.next()).toEqual(DONE)
  })

  it('can be closed if its source has no return()', async () => {
    const stream = withHooks({ [Symbol.asyncIterator]: () => ({ next: async () => DONE as never }) }, {})
    expect(await stream.return!()).toEqual(DONE)
  })
})

describe('an error in a hook', () => {
  it('of onItem closes the source and rejects', async () => {
    const source = scripted([1, 2])
    const onEnd = vi.fn<() => void>()
    const stream = withHooks(source, { onItem: fail('item'), onEnd })
    await expect(stream.next()).rejects.toThrow('item')
    expect(await stream.next()).toEqual(DONE)
    expect(source.return).toHaveBeenCalledTimes(1)
    expect(onEnd).toHaveBeenCalledTimes(1)
  })

  it('of onItem is reported rather than an error of closing the source', async () => {
    const source = scripted([1], { close: () => Promise.reject(new Error('closing')) })
    await expect(withHooks(source, { onItem: fail('item') }).next()).rejects.toThrow('item')
  })

  it('of onEnd does not keep the source open', async () => {
    const source = scripted([1])
    const stream = withHooks(source, { onEnd: fail('end') })
    await expect(stream.return!()).rejects.toThrow('end')
    expect(source.return).toHaveBeenCalledTimes(1)
    await expect(withHooks(scripted(), { onEnd: fail('end') }).next()).rejects.toThrow('end')
  })

  it('of onError replaces the error of the source', async () => {
    const stream = withHooks(scripted([new Error('first')]), { onError: fail('second') })
    await expect(stream.next()).rejects.toThrow('second')
    expect(await stream.next()).toEqual(DONE)
  })
})

describe('an interrupted stream', () => {
  it('rejects only the first pending call with the reason', async () => {
    const source = scripted(['wait', 'wait'])
    const interruption = new AbortController()
    const onEnd = vi.fn<() => void>()
    const stream = withHooks(source, { signal: interruption.signal, onEnd })
    const results = Promise.allSettled([stream.next(), stream.next()])
    interruption.abort(new Error('key lost'))
    expect(await results).toMatchObject([
      { status: 'rejected', reason: { message: 'key lost' } },
      { status: 'fulfilled', value: DONE },
    ])
    expect(await stream.next()).toEqual(DONE)
    expect(source.return).toHaveBeenCalledTimes(1)
    expect(onEnd).toHaveBeenCalledTimes(1)
  })

  it('rejects the next call with the reason, and yields no further item', async () => {
    const source = scripted([1, 2])
    const interruption = new AbortController()
    const stream = withHooks(source, { signal: interruption.signal })
    await stream.next()
    interruption.abort(new Error('key lost'))
    await expect(stream.next()).rejects.toThrow('key lost')
    expect(await stream.next()).toEqual(DONE)
    expect(source.next).toHaveBeenCalledTimes(1)
  })

  it('closes its source without reading it if it was interrupted before the first call', async () => {
    const source = scripted([1])
    const stream = withHooks(source, { signal: AbortSignal.abort(new Error('key lost')) })
    await expect(stream.next()).rejects.toThrow('key lost')
    expect(source.next).not.toHaveBeenCalled()
    expect(source.return).toHaveBeenCalledTimes(1)
  })

  it('rejects with the reason rather than with errors of closing the source', async () => {
    const source = scripted([new Error('aborted')], { close: () => Promise.reject(new Error('closing')) })
    const interruption = new AbortController()
    const stream = withHooks(source, {
      signal: interruption.signal,
      onError: (error) => String(error).length,
    })
    const pending = stream.next()
    interruption.abort('1234')
    expect(await pending).toEqual({ done: false, value: 4 })
  })

  it('stays ended if its reader closed it before', async () => {
    const source = scripted([1])
    const interruption = new AbortController()
    const stream = withHooks(source, { signal: interruption.signal })
    await stream.return!()
    interruption.abort(new Error('key lost'))
    expect(await stream.next()).toEqual(DONE)
    expect(source.return).toHaveBeenCalledTimes(1)
  })
})

describe('an abortable generator', () => {
  it('can be closed while it waits, and cleans up once', async () => {
    const cleanUp = vi.fn<() => void>()
    const stream = abortable(async function* forever(signal) {
      try {
        yield 1
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        yield 2
      } finally {
        cleanUp()
      }
    })
    expect(await stream.next()).toEqual({ done: false, value: 1 })
    const pending = stream.next()
    expect(await stream.return!()).toEqual(DONE)
    await pending
    expect(cleanUp).toHaveBeenCalledTimes(1)
    expect(await stream.next()).toEqual(DONE)
  })

  it('is closed through every stream that wraps it', async () => {
    const ends: string[] = []
    const source = abortable(async function* forever(signal) {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      yield 1
    })
    const inner = withHooks(source, { onEnd: () => void ends.push('inner') })
    const outer = withHooks(inner, { onEnd: () => void ends.push('outer') })
    const pending = outer.next()
    await outer.return!()
    await pending
    expect(ends).toEqual(['outer', 'inner'])
  })

  it('never runs if it is closed before its first item', async () => {
    const run = vi.fn<() => void>()
    const stream = abortable(async function* never() {
      run()
      yield 1
    })
    await stream.return!()
    expect(await Array.fromAsync(stream)).toEqual([])
    expect(run).not.toHaveBeenCalled()
  })
})
