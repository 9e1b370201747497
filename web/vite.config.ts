import { defineConfig } from 'vitest/config';
import { serviceWorker } from './scripts/worker';

// The same sources give the same bytes, wherever they are built: CI builds dist/ again and compares.
export default defineConfig({
  plugins: [serviceWorker()],
  // The client library from its source, so that it needs no installation of its own.
  resolve: { alias: { 'parkwire-client': decodeURIComponent(new URL('../clients/typescript/src/index.ts', import.meta.url).pathname) } },
  build: {
    target: ['es2022', 'chrome111', 'firefox114', 'safari16.4'],
    modulePreload: { polyfill: false }, // what a view needs comes with it, not after it
    chunkSizeWarningLimit: 1_200, // the map, which is fetched when it is opened
    assetsInlineLimit: 0, // nothing as data: address, so that the content security policy needs none
    reportCompressedSize: false,
    rolldownOptions: {
      // What every view needs is one file, not twenty that are asked for one by one.
      output: { codeSplitting: { groups: [{ name: 'frame', test: /\/(src\/(ui|live|text|shell|identity)|node_modules\/(@preact|preact)|clients\/typescript)\/(?!german)/ }] } },
    },
  },
  test: { css: true, testTimeout: 30_000 }, // tests read the styles; a busy machine is slow
  server: {
    // `npm run dev` beside a running `parkwire all`.
    proxy: {
      '/api': 'http://localhost:5000',
      '/notifications': { target: 'http://localhost:5000', ws: true },
    },
  },
});
