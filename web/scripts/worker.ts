// Builds the service worker beside the page, as it must know the files of the page: a plugin of Vite.
import { build, type Plugin } from 'vite';

/** Files of public/ that the page needs without a network. */
const always = ['/favicon.svg', '/manifest.webmanifest', '/manifest.de.webmanifest', '/icons/icon-192.png'];
/** Larger files are kept only once they have been used: who never opens the map does not fetch it for nothing. In bytes, before compression. */
const large = 300_000;

export function serviceWorker(): Plugin {
  let root = '';
  let target: string | string[] | false = false;
  return {
    name: 'parkwire-service-worker',
    apply: 'build',
    enforce: 'post', // when index.html is there
    configResolved(config) {
      root = config.root;
      target = config.build.target as typeof target;
    },
    async generateBundle(_, bundle) {
      const files: string[] = [];
      let entry = '';
      let page = '';
      for (const [name, file] of Object.entries(bundle)) {
        const content = file.type === 'chunk' ? file.code : file.source;
        if (name === 'index.html') page = String(content);
        else if (content.length <= large) files.push(`/${name}`);
        if (file.type === 'chunk' && file.isEntry) entry = `/${name}`;
      }
      files.sort();
      const version = await digest(JSON.stringify([files, page]));
      const source = await worker(root, target, { __VERSION__: version, __ENTRY__: entry, __FILES__: [...files, ...always] });
      this.emitFile({ type: 'asset', fileName: 'sw.js', source });
    },
  };
}

/** One file without imports, as not all browsers know workers that are modules. */
async function worker(root: string, target: string | string[] | false, known: Record<string, unknown>): Promise<string> {
  const define = Object.fromEntries(Object.entries(known).map(([name, value]) => [name, JSON.stringify(value)]));
  const built = await build({
    root, configFile: false, publicDir: false, logLevel: 'warn', define: { ...define, 'process.env.NODE_ENV': '"production"' },
    build: {
      write: false, target, reportCompressedSize: false,
      lib: { entry: 'src/worker/worker.ts', formats: ['iife'], name: 'parkwireWorker' },
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
  const [first] = Array.isArray(built) ? built : [built];
  const chunk = first && 'output' in first ? first.output[0] : undefined;
  if (!chunk) throw new Error('The service worker was not built.');
  return chunk.code;
}

async function digest(text: string): Promise<string> {
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return [...sum.slice(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
