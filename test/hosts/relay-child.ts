// Inside a network namespace: passes connections between its loopback and Unix sockets.
import { forward, type End } from './namespaces.ts'

process.on('message', ({ from, to }: { from: End; to: End }) => {
  void forward(from, to).then(() => process.send?.('listening'))
})
process.once('disconnect', () => process.exit())
