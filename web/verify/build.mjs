// Builds the viewer into one self-contained page, bundle/viewer/view.html,
// which the server's binary embeds. With --check it only tells whether the
// committed page is the one that this source makes.
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const target = here('../../bundle/viewer/view.html');

const made = await build({
  configFile: false,
  root: here('.'),
  logLevel: 'warn',
  build: {
    write: false,
    target: 'es2022',
    lib: { entry: here('viewer/main.ts'), formats: ['iife'], name: 'viewer' },
    cssMinify: true,
  },
});
const files = [made].flat().flatMap((m) => m.output);
const script = files.find((f) => f.type === 'chunk').code.trim();
const style = files.find((f) => f.fileName.endsWith('.css')).source.trim();
if (/<\/script|<!--/i.test(script) || /<\/style/i.test(style)) throw new Error('the program would end its own element');

// The page may run this one script, use this one style, play what lies beside
// it, and do nothing else: it cannot send anything anywhere.
const hash = (s) => `'sha256-${createHash('sha256').update(s).digest('base64')}'`;
const csp = [
  "default-src 'none'",
  `script-src ${hash(script)}`,
  `style-src ${hash(style)}`,
  "media-src 'self' file:",
  "form-action 'none'",
  "base-uri 'none'",
].join('; ');

const page = (await readFile(here('viewer/index.html'), 'utf8'))
  .replace('%CSP%', () => csp)
  .replace('%STYLE%', () => style)
  .replace('%SCRIPT%', () => script);

if (process.argv.includes('--check')) {
  const committed = await readFile(target, 'utf8').catch(() => '');
  if (committed !== page) {
    console.error('bundle/viewer/view.html is not what web/verify makes. Run: npm --prefix web/verify run build');
    process.exit(1);
  }
  console.log('bundle/viewer/view.html is current');
} else {
  await mkdir(here('../../bundle/viewer'), { recursive: true });
  await writeFile(target, page);
  console.log(`bundle/viewer/view.html: ${page.length} characters`);
}
