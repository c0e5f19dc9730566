// What somebody sees of a real service in Debian's Chromium.
//
//   node play.mjs BASE PASSWORD RECORDING PROXY DOCK CAMERA PICTURES
//
// RECORDING plays as it is, PROXY has a proxy. CAMERA is to be docked at DOCK,
// and its upload to take a few seconds, when the line "watching docks" appears.
// Exit code 0 only when all of it is as it must be and no page has a fault.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { axeFaults, launch, open, overflow, signIn } from '../../web/e2e/browser.mjs';

const [base, password, recording, proxy, dock, camera, pictures] = process.argv.slice(2);
const browser = await launch();
const faults = [];

/** Signs somebody in and does what they do, in a tab that writes down faults. */
async function as(user, what) {
  const tab = await open(browser, base);
  tab.page.setDefaultTimeout(20_000);
  tab.allow(/status of 401.*\/api\/me/); // asked before signing in
  const look = async (name) => {
    await tab.page.waitForTimeout(350); // what fades in is there
    if (pictures) await tab.page.screenshot({ path: join(pictures, `${name}.png`) });
    faults.push(...[...(await axeFaults(tab.page)), ...(await overflow(tab.page))].map((f) => `${name}: ${f}`));
  };
  try {
    await tab.page.goto('/sign-in');
    await signIn(tab.page, user, password);
    await what(tab.page, look);
  } catch (e) {
    faults.push(`${user}: ${e.stack ?? e}`);
    if (pictures) await tab.page.screenshot({ path: join(pictures, 'failed.png') });
  }
  faults.push(...tab.faults.map((f) => `${user}: ${f}`));
  await tab.context.close();
}

const time = (page) => page.evaluate(() => document.querySelector('video').currentTime);
/** The picture that is shown now, as numbers. */
const picture = (page) => page.evaluate(() => {
  const v = document.querySelector('video');
  const c = document.createElement('canvas');
  [c.width, c.height] = [160, 120];
  const paint = c.getContext('2d');
  paint.drawImage(v, 0, 0, 160, 120);
  return Array.from(paint.getImageData(0, 0, 160, 120).data);
});

async function plays(page, what) {
  const watch = page.getByRole('button', { name: 'Watch', exact: true });
  await watch.click();
  const dialogue = page.getByRole('dialog');
  await Promise.race([page.locator('video').waitFor(), dialogue.waitFor()]);
  if (await dialogue.isVisible()) {
    await dialogue.getByLabel('Technical check').check();
    await dialogue.getByLabel('Service desk number').fill('SD-8812');
    await dialogue.getByRole('button', { name: 'Watch' }).click();
  }
  await page.waitForFunction(() => { const v = document.querySelector('video'); return v && v.currentTime > 0.2 && !v.paused; });
  const [t1, one] = [await time(page), await picture(page)];
  await page.waitForTimeout(1000);
  const [t2, two] = [await time(page), await picture(page)];
  const difference = one.reduce((n, v, i) => n + Math.abs(v - two[i]), 0) / one.length;
  assert.ok(t2 - t1 > 0.5, `${what} advances: ${t1} to ${t2}`);
  assert.ok(difference > 0.2, `two frames of ${what} differ by ${difference}`);
  assert.ok(one.some((v, i) => i % 4 !== 3 && v > 40), `${what} is not black`);
  await stays(page, what);
}

/** Who watches, and when, stands over the picture, and the picture has no page of its own. */
async function stays(page, what) {
  for (const says of await page.getByTestId('watermark').locator('span').allInnerTexts()) {
    assert.match(says, /7731 · \d{1,2} \w+ 20\d\d, \d\d:\d\d:\d\d \w+$/, `the watermark of ${what}`);
  }
  assert.equal(await page.getByTestId('watermark').locator('span').count(), 2, `${what} carries the watermark`);
  const source = await page.evaluate(() => document.querySelector('video').src);
  const alone = await page.context().newPage();
  const answer = await alone.goto(source);
  assert.equal(answer.status(), 403, `${what} in a window of its own`);
  await alone.close();
}

await as('supervisor', async (page, look) => {
  await page.goto('/docks');
  const place = page.getByRole('article', { name: `Dock ${dock}` });
  await place.waitFor();
  console.log('watching docks');
  await place.getByText(camera).first().waitFor();
  const sent = place.getByRole('progressbar', { name: `${camera}: sent` });
  const share = async () => Number(await sent.getAttribute('aria-valuenow'));
  await sent.waitFor();
  const before = await share();
  assert.ok(before < 100, `the camera is uploading: ${before} %`);
  await page.waitForFunction(([label, was]) => Number(document.querySelector(`[aria-label="${label}"]`)?.getAttribute('aria-valuenow')) > was, [`${camera}: sent`, before]);
  await look('docks');

  await page.goto('/recordings');
  const cards = page.getByRole('list', { name: 'Recordings' }).getByRole('link');
  await cards.first().waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll('main img')].some((i) => i.complete && i.naturalWidth > 0));
  await look('recordings');

  await page.goto(`/recordings/${recording}`);
  await plays(page, 'the master');
  await look('recording');
  await page.getByRole('tab', { name: 'Custody' }).click();
  await page.getByRole('list', { name: 'Events, newest first' }).waitFor();
  await page.getByRole('button', { name: 'Verify', exact: true }).click();
  await page.getByText(/All checks out|Every event is proven/).waitFor();
  await page.getByRole('button', { name: /remember it here/ }).click();
  await page.getByText('Every event is proven').waitFor();
  await look('custody');

  await page.goto(`/recordings/${proxy}`);
  await plays(page, 'the proxy');
});

await as('administrator', async (page, look) => {
  await page.goto('/system');
  await page.getByRole('heading', { name: 'System', level: 1 }).waitFor();
  await page.getByRole('heading', { name: 'Ledger' }).waitFor();
  await look('system');
});

await browser.close();
for (const f of new Set(faults)) console.log(f);
process.exitCode = faults.length ? 1 : 0;
