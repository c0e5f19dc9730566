// Opens sample bundles in Chromium from the disk, as their receiver would, and
// checks what the page says: node e2e.mjs [FOLDER FOR SCREENSHOTS]. Needs go,
// ffmpeg and a chromium (CHROMIUM names one that is not in the path).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const top = fileURLToPath(new URL('../..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'viewer-'));
const shots = process.argv[2];
if (shots) mkdirSync(shots, { recursive: true });

function media() {
  const ffmpeg = (...args) => execFileSync('ffmpeg', ['-loglevel', 'error', '-y', ...args]);
  const files = ['AXIS_0001.mp4', 'AXIS_0002.mp4', 'note.wav'].map((f) => join(work, f));
  for (const [i, f] of files.slice(0, 2).entries()) {
    ffmpeg('-f', 'lavfi', '-i', `testsrc2=size=1280x720:rate=25:duration=${4 + i}`, '-pix_fmt', 'yuv420p', '-c:v', 'libx264', f);
  }
  ffmpeg('-f', 'lavfi', '-i', 'sine=frequency=440:duration=2', files[2]);
  return files;
}

const sample = (dir, files) => execFileSync('go', ['run', './bundle/bundletest/samplebag', dir, ...files], { cwd: top, encoding: 'utf8' }).trim();

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });

/** Opens a page and gives what it did besides showing itself. */
async function open(dir, options = {}) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark', ...options });
  const problems = [];
  page.on('console', (m) => m.type() === 'error' && problems.push(m.text()));
  page.on('pageerror', (e) => problems.push(String(e)));
  page.on('dialog', (d) => (problems.push(`dialog: ${d.message()}`), d.dismiss()));
  page.on('request', (r) => r.url().startsWith('file:') || problems.push(`request: ${r.url()}`));
  await page.goto(pathToFileURL(join(dir, 'view.html')).href);
  return { page, problems };
}

const verdict = (page, text) => page.getByRole('region', { name: 'Result' }).getByRole('heading', { name: text }).waitFor({ timeout: 10_000 });
const shot = async (page, name) => shots && page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
const choose = (page, dir) => page.locator('#folder').setInputFiles(dir);

async function accessible(page, where) {
  const { violations } = await page.evaluate(`${axe}; axe.run()`);
  assert.deepEqual(violations.map((v) => `${where}: ${v.id}: ${v.nodes.map((n) => n.target).join(', ')}`), []);
}

async function sound(dir, key) {
  const { page, problems } = await open(dir);
  await verdict(page, 'Everything fits together; not all of it is confirmed yet');
  await page.waitForFunction(() => document.querySelector('video')?.readyState >= 2);
  await accessible(page, 'dark');
  await shot(page, 'dark');
  await page.locator('video').evaluate(async (v) => (v.muted = true, await v.play()));
  await page.waitForFunction(() => document.querySelector('video').currentTime > 0.3);
  await choose(page, join(work, 'empty'));
  await page.getByText('That is not the folder of this bundle').waitFor();
  await page.getByRole('button', { name: 'Segment 2' }).click();
  await page.waitForFunction(() => document.querySelector('video')?.src.endsWith('02_AXIS_0002.mp4'));
  await choose(page, dir);
  await page.getByText('3 of 3 read').or(page.getByText('These are the bytes that were collected')).first().waitFor();
  await page.getByLabel('Or enter the key').fill(key);
  await page.getByRole('button', { name: 'Check with this key' }).click();
  await verdict(page, 'Everything holds');
  await page.getByRole('button', { name: 'Light' }).click();
  await page.getByText('All particulars').first().click();
  await accessible(page, 'light');
  await shot(page, 'light');
  await page.getByRole('navigation').getByRole('button').nth(1).click();
  await page.waitForFunction(() => document.querySelector('audio')?.readyState >= 1);
  await page.getByLabel('Or enter the key').fill('custos.example/vectors+5a4242c6+AXiNgM1GS+YpGxsTUqkAIOwB9WrkpVRHOReqWfAvy4cy');
  await page.getByRole('button', { name: 'Check with this key' }).click();
  await verdict(page, 'Something is wrong with this bundle');
  assert.deepEqual(problems, []);
  await page.close();
}

async function phone(dir) {
  const { page, problems } = await open(dir, { viewport: { width: 390, height: 844 } });
  await verdict(page, 'Everything fits together');
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page is wider than a phone');
  await shot(page, 'phone');
  assert.deepEqual(problems, []);
  await page.close();
}

/** A copy of the bag in which one thing is different. */
function tampered(dir, name, change) {
  const copy = join(work, name);
  cpSync(dir, copy, { recursive: true });
  change(copy);
  return copy;
}
const replace = (file, from, to) => {
  const old = readFileSync(file, 'utf8');
  assert.ok(old.includes(from), `${from} is not in ${file}`);
  writeFileSync(file, old.replace(from, () => to));
};

async function wrong(dir, says, folder = false) {
  const { page, problems } = await open(dir);
  if (folder) await choose(page, dir);
  await verdict(page, 'Something is wrong with this bundle');
  await page.getByRole('region', { name: 'Result' }).getByText(says).first().waitFor();
  await shot(page, 'wrong');
  assert.deepEqual(problems, []);
  await page.close();
}

async function hostile(dir) {
  const { page, problems } = await open(dir);
  await verdict(page, 'Everything fits together');
  assert.equal(await page.locator('script').count(), 2);
  assert.ok((await page.locator('.facts').innerText()).includes('‹U+202E›'), 'a character that turns the writing is not spelt out');
  assert.ok((await page.locator('.facts').innerText()).includes('</script><script>alert(1)</script>'));
  await shot(page, 'hostile');
  // The filler in these masters is no video; the browser's word for that is the only complaint.
  assert.deepEqual(problems, []);
  await page.close();
}

try {
  const files = media();
  mkdirSync(join(work, 'empty'));
  writeFileSync(join(work, 'empty', 'other.txt'), 'x');
  const good = join(work, 'good');
  const key = sample(good, files);
  await sound(good, key);
  await phone(good);
  const rec = 'data/01kamwtz3f0w9hq1c7c9m2v5ta';
  await wrong(tampered(good, 'event', (d) => replace(join(d, 'view.html'), '"complaint"', '"training"')), 'The event was altered');
  await wrong(tampered(good, 'id', (d) => replace(join(d, 'view.html'), '"bundle":"01kamxyz000000000000000000"', '"bundle":"01kamxyz000000000000000001"')), 'does not end with the disclosure of this bundle');
  await wrong(tampered(good, 'byte', (d) => appendFileSync(join(d, rec, '02_AXIS_0002.mp4'), 'x')), 'This is not the file that was collected', true);
  await wrong(tampered(good, 'gone', (d) => rmSync(join(d, rec, '02_AXIS_0002.mp4'))), 'The file is missing', true);
  const bad = join(work, 'hostile');
  execFileSync('go', ['run', './bundle/bundletest/samplebag', bad], { cwd: top });
  await hostile(bad);
  console.log('7 passed, 0 failed');
} finally {
  await browser.close();
  rmSync(work, { recursive: true });
}
