// A gateway that leaks memory on command, until the JavaScript engine ends the process.
import '../support/gateway-child.ts'

const leaked: object[][] = []
process.on('message', (message) => {
  if (message === 'leak') for (;;) leaked.push(Array.from({ length: 100_000 }, () => ({})))
})
