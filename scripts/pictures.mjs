#!/usr/bin/env node
// Takes the pictures of README.md from a running demo (`make demo`):
//   scripts/pictures.mjs [http://127.0.0.1:8080]
// Needs Debian's chromium, pngquant, and web/node_modules (`make build`).
import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const here = (p) => fileURLToPath(new URL(p, import.meta.url));
const { chromium } = createRequire(here('../web/package.json'))('playwright-core');
const baseURL = process.argv[2] ?? 'http://127.0.0.1:8080';
const limit = 300_000; // bytes a picture
mkdirSync(here('../docs/images'), { recursive: true });

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--autoplay-policy=no-user-gesture-required'],
});
const page = await browser.newPage({ baseURL, viewport: { width: 1440, height: 900 }, colorScheme: 'dark', locale: 'en-GB', reducedMotion: 'reduce' });

async function picture(name) {
  const file = here(`../docs/images/${name}.png`);
  await page.screenshot({ path: file });
  execFileSync('pngquant', ['--force', '--skip-if-larger', '--strip', '--quality', '60-95', '--output', file, file]);
  const { size } = statSync(file);
  console.log(`docs/images/${name}.png: ${size} bytes`);
  if (size >= limit) throw new Error(`${name} is larger than ${limit} bytes`);
}

const cards = page.getByRole('list', { name: 'Recordings' }).getByRole('link');

await page.goto('/');
await page.locator('input[autocomplete=username]').fill('okafor');
await page.locator('input[type=password]').fill('custos-demo-force');
await page.keyboard.press('Enter');
await cards.first().waitFor();
await page.waitForFunction(() => [...document.images].every((i) => i.complete));
await page.waitForTimeout(1000);
await picture('recordings');

// The recording of three segments with a gap, as the demo tells people to open.
const cut = cards.filter({ hasText: 'K-0417' }).filter({ hasText: /\d\s+segments/ });
await ((await cut.count()) ? cut : cards.filter({ hasText: 'K-0417' })).first().click();
await page.getByRole('button', { name: 'Watch', exact: true }).click();
const dialogue = page.getByRole('dialog');
await Promise.race([page.locator('video').waitFor(), dialogue.waitFor()]);
if (await dialogue.isVisible()) {
  await dialogue.getByRole('textbox').first().fill('42AB/8812/26');
  await dialogue.getByRole('button', { name: 'Watch' }).click();
}
await page.locator('video').waitFor();
await page.waitForFunction(() => document.querySelector('video')?.currentTime > 3, null, { timeout: 30_000 });
await picture('recording');

await page.getByRole('tab', { name: /^Custody/ }).click();
const proof = page.getByRole('region', { name: 'Check of the custody' });
await proof.getByRole('button', { name: 'Verify', exact: true }).click();
await proof.getByText(/Every event is proven|All checks out/).first().waitFor();
await proof.scrollIntoViewIfNeeded();
await page.waitForTimeout(500);
await picture('custody');
await browser.close();
