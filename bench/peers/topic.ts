// A publisher for servers that have none of their own: a queue for each subscriber.
export interface Topic<Item> {
  publish(item: Item): void
  subscribe(): AsyncIterableIterator<Item>
}

export function createTopic<Item>(): Topic<Item> {
  const subscribers = new Set<(item: Item) => void>()
  return {
    publish(item) {
      for (const push of subscribers) push(item)
    },
    subscribe() {
      const queue: Item[] = []
      let resolveNext: ((result: IteratorResult<Item>) => void) | undefined
      const push = (item: Item) => {
        if (resolveNext) resolveNext({ done: false, value: item })
        else queue.push(item)
        resolveNext = undefined
      }
      subscribers.add(push)
      return {
        async next() {
          const value = queue.shift()
          if (value !== undefined) return { done: false, value }
          return new Promise((resolve) => {
            resolveNext = resolve
          })
        },
        async return() {
          subscribers.delete(push)
          resolveNext?.({ done: true, value: undefined })
          return { done: true, value: undefined }
        },
        [Symbol.asyncIterator]() {
          return this
        },
      }
    },
  }
}
