import { defineConfig } from 'vitest/config'

// Another server than the one that the page comes from: `CARDIOTRACE_SERVER=http://127.0.0.1:8642 npm run dev`.
const server = process.env['CARDIOTRACE_SERVER'] ?? 'http://127.0.0.1:8642'

export default defineConfig({
  base: './',
  build: {
    outDir: '../src/cardiotrace/server/static',
    emptyOutDir: true,
    sourcemap: false,
    license: { fileName: 'licences.md' }, // of what is packed into the page
    modulePreload: { polyfill: false }, // it would be a script in the page itself
    assetsInlineLimit: 0, // no data: addresses, which the policy of the page forbids
  },
  server: { host: '127.0.0.1', proxy: { '/api': { target: server } } },
  test: { include: ['src/**/*.test.ts'], testTimeout: 60_000 }, // a busy machine is no failure
})
