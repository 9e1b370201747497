import { defineConfig } from 'vite';
import { serviceWorker } from './scripts/worker';

// The same sources give the same bytes, wherever they are built: CI builds dist/ again and compares.
export default defineConfig({
  plugins: [serviceWorker()],
  // The client library from its source, so that it needs no installation of its own.
  resolve: { alias: { 'parkwire-client': decodeURIComponent(new URL('../clients/typescript/src/index.ts', import.meta.url).pathname) } },
  build: {
    target: ['es2022', 'chrome111', 'firefox114', 'safari16.4'],
    modulePreload: false, // the views come when they are opened; and the polyfill asks for nothing we serve
    assetsInlineLimit: 0, // nothing as data: address, so that the content security policy needs none
    reportCompressedSize: false,
  },
  server: {
    // `npm run dev` beside a running `parkwire all`.
    proxy: {
      '/api': 'http://localhost:5000',
      '/notifications': { target: 'http://localhost:5000', ws: true },
    },
  },
});
