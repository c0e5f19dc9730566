import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const here = (p: string) => fileURLToPath(new URL(p, import.meta.url));

/** Writes a .gz and a .br beside every text asset, so that the server never compresses at run time. */
function precompress(): Plugin {
  return {
    name: 'custos-precompress',
    apply: 'build',
    closeBundle() {
      const walk = (dir: string) => {
        for (const name of readdirSync(dir)) {
          const file = join(dir, name);
          if (statSync(file).isDirectory()) {
            walk(file);
          } else if (/\.(js|css|svg)$/.test(name)) {
            const bytes = readFileSync(file);
            writeFileSync(file + '.gz', gzipSync(bytes, { level: 9 }));
            writeFileSync(file + '.br', brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
          }
        }
      };
      walk(here('dist'));
      // The one committed file of dist: Go embeds the folder, so it must exist in a fresh clone.
      writeFileSync(here('dist/.keep'), '');
    },
  };
}

const server = process.env.CUSTOS_SERVER ?? 'http://127.0.0.1:8080';
const proxy = Object.fromEntries(['/api', '/media', '/files', '/log'].map((p) => [p, { target: server }]));

export default defineConfig({
  plugins: [react(), precompress()],
  // The Go side replaces the word by a fresh nonce on every request (embed.go).
  html: { cspNonce: '{nonce}' },
  resolve: { alias: { '@custos/verify': here('verify/src/index.ts') } },
  // One script, loaded once and kept for ever: on a force's own network that is quicker than many.
  build: { chunkSizeWarningLimit: 900, target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false },
  server: { port: 5173, proxy },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'] },
});
