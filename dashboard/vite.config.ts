import react from '@vitejs/plugin-react'
import type { UserConfig } from 'vite'

/** A running server, for `npm run dashboard`. */
const SERVER = 'http://127.0.0.1:4000'

const config: UserConfig = {
  root: import.meta.dirname,
  // Relative: the server may be mounted below a path.
  base: './',
  plugins: [react()],
  build: {
    target: 'es2024',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    cssCodeSplit: false,
    assetsDir: 'dashboard',
    // The policy of the page forbids `data:` in styles and scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    host: '127.0.0.1',
    proxy: { '/graphql': { target: SERVER, ws: true }, '/assets': SERVER },
  },
}
export default config
