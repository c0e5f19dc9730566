// Tests of the pages in a real browser.
//
//   node e2e/run.mjs --base http://127.0.0.1:8099 [--user patel] [--password custos] [--out DIR] [--only WORD]
//
// or with BASE, CUSTOS_USER, CUSTOS_PASSWORD in the environment. Without --base
// it starts the mock server itself. Against a real server the tests that need
// the mock's levers are left out; what is needed there is at least one
// recording that plays. Exit code 0 only when every test has passed.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { axeFaults, launch, open, overflow, signIn } from './browser.mjs';
import { keeping } from './keeping.mjs';
import { peopleTests } from './people.mjs';
import { tests } from './tests.mjs';

const option = (name, otherwise) => {
  const i = process.argv.indexOf('--' + name);
  return i > 0 ? process.argv[i + 1] : otherwise;
};

async function startMock() {
  const mock = spawn(process.execPath, [fileURLToPath(new URL('../dev/mock.mjs', import.meta.url)), '--port', '8137'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    mock.stdout.once('data', resolve);
    mock.once('exit', (code) => reject(new Error(`the mock server ended with ${code}`)));
  });
  return mock;
}

let base = option('base', process.env.BASE ?? '');
const mock = base ? undefined : await startMock();
base ||= 'http://127.0.0.1:8137';
const out = option('out', process.env.OUT ?? join(process.env.TMPDIR ?? '/tmp', 'custos-e2e'));
mkdirSync(out, { recursive: true });
const user = option('user', process.env.CUSTOS_USER ?? 'patel');
const password = option('password', process.env.CUSTOS_PASSWORD ?? 'custos');
const only = option('only', '');

const levers = (await fetch(base + '/mock/')).status === 204;
const pull = (lever) => fetch(`${base}/mock/${lever}`, { method: 'POST' });
const browser = await launch();
let passed = 0;
let failed = 0;
let skipped = 0;

// Signed in once; every test gets the session, as a browser tab would.
const first = await open(browser, base);
await first.page.goto('/sign-in');
await signIn(first.page, user, password);
const state = await first.context.storageState();
await first.context.close();

for (const test of [...tests, ...keeping, ...peopleTests]) {
  if (only && !test.name.includes(only)) continue;
  if (test.mockOnly && !levers) {
    skipped++;
    continue;
  }
  for (const variant of test.variants ?? [{}]) {
    const name = [test.name, variant.theme, variant.width && `${variant.width} px`].filter(Boolean).join(', ');
    const tab = await open(browser, base, { ...variant, state: test.signedOut ? undefined : state });
    const { page, context, faults, allow } = tab;
    page.setDefaultTimeout(30_000);
    const shot = (what) => page.screenshot({ path: join(out, `${[test.name, what, variant.theme, variant.width].filter(Boolean).join('-').replace(/\W+/g, '-')}.png`) });
    const look = async (what) => {
      await page.waitForTimeout(350); // menus and dialogues have faded in
      await shot(what);
      faults.push(...(await axeFaults(page)).map((f) => `${what ?? ''} ${f}`), ...(await overflow(page)));
    };
    const t0 = Date.now();
    try {
      await test.run({ page, context, base, user, password, levers, pull, allow, look, shot, variant });
    } catch (e) {
      faults.push(String(e.stack ?? e).split('\n').slice(0, 8).join('\n    '));
      await shot('failed').catch(() => undefined);
    }
    if (levers) await pull('reset');
    await context.close();
    if (faults.length) {
      failed++;
      console.log(`FAIL ${name}\n  ${[...new Set(faults)].join('\n  ')}`);
    } else {
      passed++;
      console.log(`ok   ${name} (${Date.now() - t0} ms)`);
    }
  }
}

await browser.close();
mock?.kill();
console.log(`pictures in ${out}`);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed || !passed ? 1 : 0;
