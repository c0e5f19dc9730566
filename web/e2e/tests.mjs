import assert from 'node:assert/strict';
import { signIn } from './browser.mjs';

const all = ['dark', 'light'].flatMap((theme) => [{ theme, width: 1440 }, { theme, width: 390, height: 844 }]);

const cards = (page) => page.getByRole('list', { name: 'Recordings' }).getByRole('link');
const openFirst = async (page) => {
  await page.goto('/recordings');
  await cards(page).first().waitFor();
};
/** A card with these words, further down the list if need be. */
async function find(page, words) {
  const card = cards(page).filter({ hasText: words }).first();
  for (let i = 0; i < 40 && !(await card.count()); i++) {
    await page.mouse.wheel(0, 500);
    await page.waitForTimeout(100);
  }
  return card;
}
/** Begins to watch, or listen, and says why where that is asked for. */
async function begin(page, word) {
  await page.getByRole('button', { name: word, exact: true }).click();
  const dialogue = page.getByRole('dialog');
  await Promise.race([page.locator('video').waitFor(), dialogue.waitFor()]);
  if (await dialogue.isVisible()) {
    await dialogue.getByLabel('Technical check').check();
    await dialogue.getByLabel('Service desk number').fill('SD-8812');
    await dialogue.getByRole('button', { name: 'Watch' }).click();
  }
  await page.locator('video').waitFor();
}
/** Opens a recording that can be played and watches it. */
async function watch(page) {
  await openFirst(page);
  for (let i = 0; i < 10; i++) {
    const card = cards(page).nth(i);
    if (/Being prepared|Cannot be shown|Sound only|Needs a viewing copy/.test(await card.innerText())) continue;
    await card.click();
    break;
  }
  await begin(page, 'Watch');
}
const time = (page) => page.evaluate(() => document.querySelector('video').currentTime);
const until = (page, test, arg) => page.waitForFunction(test, arg, { timeout: 30_000 });
const moving = (page) => until(page, () => { const v = document.querySelector('video'); return v && v.currentTime > 0.3 && !v.paused; });
/** The picture that is shown now, as numbers. */
const picture = (page) => page.evaluate(() => {
  const v = document.querySelector('video');
  const c = document.createElement('canvas');
  [c.width, c.height] = [160, 120];
  const paint = c.getContext('2d');
  paint.drawImage(v, 0, 0, 160, 120);
  return Array.from(paint.getImageData(0, 0, 160, 120).data);
});
const difference = (a, b) => a.reduce((n, v, i) => n + Math.abs(v - b[i]), 0) / a.length;
/** The watermark is over the picture, says who and when, ticks, and the picture cannot leave the page without it. */
async function marked(page, who) {
  const marks = () => page.getByTestId('watermark').locator('span').allInnerTexts();
  const before = await marks();
  assert.equal(before.length, 2);
  for (const says of before) {
    assert.ok(says.startsWith(who), `the watermark says ${says}`);
    assert.match(says, /\d{1,2} \w{3,4} 20\d\d, \d\d:\d\d:\d\d (GMT|BST|UTC)$/);
  }
  await page.waitForFunction((was) => document.querySelector('[data-testid=watermark] span').textContent !== was, before[0]);
  const facts = await page.evaluate(async () => {
    const v = document.querySelector('video');
    const over = document.querySelector('[data-testid=watermark]').getBoundingClientRect();
    const under = v.parentElement.getBoundingClientRect();
    const menu = new MouseEvent('contextmenu', { bubbles: true, cancelable: true });
    v.dispatchEvent(menu);
    return {
      covers: over.width >= under.width - 2 && over.height >= under.height - 2,
      apart: await v.requestPictureInPicture().then(() => true, () => false),
      apartOff: v.disablePictureInPicture, remoteOff: v.disableRemotePlayback, controls: v.controls, list: v.getAttribute('controlslist'), menu: menu.defaultPrevented,
      links: [...document.querySelectorAll('a[download], a[href^="/media/"]')].length,
      switches: [...document.querySelectorAll('button, input, [role=menuitem]')].filter((e) => /watermark/i.test(e.textContent + e.getAttribute('aria-label'))).length,
    };
  });
  assert.deepEqual(facts, { covers: true, apart: false, apartOff: true, remoteOff: true, controls: false, list: 'nodownload noremoteplayback', menu: true, links: 0, switches: 0 });
}
const menu = (page, name) => page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name });

export const tests = [
  {
    name: 'sign in', variants: all, signedOut: true,
    async run({ page, look, allow, user, password, variant }) {
      allow(/status of 401/);
      await page.goto('/recordings?view=table');
      await page.getByText('Sign in to go on to the page you asked for.').waitFor();
      await page.getByLabel('Name').fill(user);
      await page.getByLabel('Password', { exact: true }).fill('wrong');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').waitFor();
      await look();
      await signIn(page, user, password);
      await page.waitForURL('**/recordings?view=table');
      if (variant.width > 500) {
        await page.getByRole('button', { name: /^Account of/ }).click();
        await page.getByRole('button', { name: 'Sign out' }).click();
        await page.waitForURL('**/sign-in');
      }
    },
  },
  {
    name: 'session ends', mockOnly: true, signedOut: true,
    async run({ page, pull, allow, user, password }) {
      allow(/status of 401/);
      await page.goto('/sign-in');
      await signIn(page, user, password);
      await menu(page, 'System').click();
      await page.getByRole('heading', { name: 'System', level: 1 }).waitFor();
      // Only this test's session: the others were signed in before it and are not touched.
      await page.context().clearCookies();
      await menu(page, 'Recordings').click();
      await page.waitForURL('**/sign-in?to=%2Frecordings');
      await signIn(page, user, password);
      await page.waitForURL('**/recordings');
      await pull('reset');
    },
  },
  {
    name: 'recordings', variants: all,
    async run({ page, look }) {
      await openFirst(page);
      await until(page, () => [...document.querySelectorAll('main img')].filter((i) => i.complete && i.naturalWidth > 0).length > 1);
      await look();
      await page.getByText('Table', { exact: true }).click();
      await page.waitForURL(/view=table/);
      await look('table');
    },
  },
  {
    name: 'recordings by keyboard',
    async run({ page }) {
      await openFirst(page);
      const focused = () => page.evaluate(() => Number(document.activeElement.dataset.card ?? -1));
      await page.keyboard.press('j');
      assert.equal(await focused(), 0);
      await page.keyboard.press('j');
      if ((await cards(page).count()) > 1) {
        assert.equal(await focused(), 1);
        await page.keyboard.press('k');
        assert.equal(await focused(), 0);
        await page.keyboard.press('ArrowRight');
        assert.equal(await focused(), 1);
        await page.keyboard.press('ArrowLeft');
      }
      await page.keyboard.press('/');
      await until(page, () => document.activeElement.getAttribute('placeholder') === 'Collar number');
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
      await page.keyboard.press('j');
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/recordings\/\w+/);
      await page.goBack();
      await cards(page).first().waitFor();
      await until(page, () => document.activeElement.dataset.card === '0');
    },
  },
  {
    name: 'shortcuts', variants: [{ theme: 'dark', width: 1440 }, { theme: 'light', width: 390, height: 844 }],
    async run({ page, look }) {
      await openFirst(page);
      await page.getByRole('button', { name: /^Account of/ }).click();
      await look('account');
      await page.getByRole('button', { name: /Keyboard shortcuts/ }).click();
      await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
      await look();
      await page.getByRole('switch').click({ force: true });
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
      await page.keyboard.press('?');
      await page.waitForTimeout(300);
      assert.equal(await page.getByRole('dialog').count(), 0, 'shortcuts can be switched off');
    },
  },
  {
    name: 'theme',
    async run({ page }) {
      await openFirst(page);
      const scheme = () => page.evaluate(() => document.documentElement.getAttribute('data-mantine-color-scheme'));
      for (const [label, want] of [['Light', 'light'], ['Dark', 'dark']]) {
        await page.getByRole('button', { name: /^Account of/ }).click();
        await page.getByRole('dialog', { name: 'Account' }).getByText(label, { exact: true }).click();
        assert.equal(await scheme(), want);
        await page.keyboard.press('Escape');
        await page.reload();
        await cards(page).first().waitFor();
        assert.equal(await scheme(), want, 'the theme is kept');
      }
    },
  },
  {
    name: 'a date in two actions', mockOnly: true,
    async run({ page }) {
      await openFirst(page);
      await page.getByRole('list').filter({ has: page.getByRole('button', { name: /Jun/ }) }).getByRole('button', { name: /Jun 2026/ }).click();
      const day = page.getByRole('table').getByRole('button', { name: /June 2026, *\d+ recording/ }).first();
      const says = await day.innerText();
      await day.click();
      await page.waitForURL(/from=2026-06-\d\d&to=2026-06-\d\d/);
      const wanted = Number(/(\d+)\s*recording/.exec(says)[1]);
      await until(page, (n) => document.querySelectorAll('[data-card]').length === n, wanted);
    },
  },
  {
    name: 'filters', mockOnly: true,
    async run({ page, look }) {
      await openFirst(page);
      await page.getByLabel('Officer').pressSequentially('4711', { delay: 120 });
      await page.waitForURL(/officer=4711/);
      await until(page, () => [...document.querySelectorAll('[data-card] strong')].every((s) => s.textContent === 'Officer 4711'));
      assert.equal(await page.evaluate(() => document.activeElement.value), '4711', 'the field keeps the focus');
      await page.getByLabel('Camera').fill('nothing');
      await page.getByText('Nothing matches').waitFor();
      await look('nothing');
      await page.getByRole('button', { name: 'Show all recordings' }).click();
      await cards(page).first().waitFor();
      assert.equal(await page.getByLabel('Officer').inputValue(), '');
    },
  },
  {
    name: 'a long list', mockOnly: true,
    async run({ page }) {
      await openFirst(page);
      for (let i = 0; i < 60 && !(await page.getByText('That is all.').isVisible()); i++) {
        await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
        await page.waitForTimeout(120);
      }
      await page.getByText('That is all.').waitFor();
      assert.ok((await cards(page).count()) < 80, 'only what is on the screen is in the page');
      await until(page, () => {
        window.scrollTo(0, document.body.scrollHeight);
        const last = [...document.querySelectorAll('[aria-posinset]')].at(-1);
        return last && last.getAttribute('aria-posinset') === last.getAttribute('aria-setsize');
      });
    },
  },
  {
    name: 'new recordings do not jump', mockOnly: true,
    async run({ page, pull, look }) {
      await openFirst(page);
      const before = await cards(page).first().getAttribute('href');
      await page.waitForTimeout(500); // the event stream is open
      await pull('arrive?n=3');
      const bar = page.getByRole('button', { name: '3 new. Show them' });
      await bar.waitFor();
      assert.equal(await cards(page).first().getAttribute('href'), before, 'nothing has moved');
      await look();
      await bar.click();
      await until(page, (href) => document.querySelector('[data-card="0"]')?.getAttribute('href') !== href, before);
    },
  },
  {
    name: 'empty', mockOnly: true, signedOut: true, variants: [{ theme: 'dark', width: 1440 }, { theme: 'light', width: 390, height: 844 }],
    async run({ page, look, password }) {
      await page.goto('/sign-in');
      await signIn(page, 'empty', password);
      await page.getByText('No recordings yet').waitFor();
      await look('recordings');
      await menu(page, 'Docks').click();
      await page.getByText('No dock is enrolled yet').waitFor();
      await look('docks');
    },
  },
  {
    name: 'denied', mockOnly: true, signedOut: true,
    async run({ page, look, password }) {
      await page.goto('/sign-in');
      await signIn(page, 'officer', password);
      assert.equal(await page.getByRole('navigation', { name: 'Main' }).getByRole('link').count(), 1, 'the menu shows only what is open');
      await page.goto('/system');
      await page.getByText('This page is not open to you').waitFor();
      await look();
      await openFirst(page);
      await cards(page).first().click();
      await page.getByRole('tab', { name: 'Details' }).waitFor();
      assert.equal(await page.getByRole('tab', { name: 'Custody' }).count() + await page.getByText(/Check custody|Last viewed|Not viewed/).count(), 0, 'who looked is not shown');
    },
  },
  {
    name: 'errors', mockOnly: true,
    async run({ page, pull, look, allow, context }) {
      allow(/status of 503|ERR_INTERNET_DISCONNECTED|status of 404/);
      await pull('fail?path=/api/recordings&status=503');
      await page.goto('/recordings');
      await page.getByText('Custos cannot do this just now', { exact: true }).waitFor();
      await look('recordings');
      await pull('reset');
      await page.getByRole('button', { name: 'Try again' }).click();
      await cards(page).first().waitFor();
      await context.setOffline(true);
      await page.getByLabel('Officer').fill('4700');
      await page.getByText('Custos cannot be reached', { exact: true }).waitFor();
      await look('offline');
      await context.setOffline(false);
      await page.getByRole('button', { name: 'Try again' }).click();
      await cards(page).first().waitFor();
      await page.goto('/recordings/00000000000000000000000000');
      await page.getByText('There is no such recording', { exact: true }).waitFor();
      await look('no recording');
    },
  },
  {
    name: 'no such page', variants: [{ theme: 'dark', width: 1440 }],
    async run({ page, look, allow }) {
      allow(/status of 404/);
      const answer = await page.goto('/nowhere');
      assert.equal(answer.status(), 404);
      await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
      await look();
    },
  },
  {
    name: 'recording', variants: all,
    async run({ page, look, variant }) {
      await openFirst(page);
      await cards(page).first().click();
      await page.getByRole('button', { name: /Watch|Listen/ }).first().waitFor();
      await look('before');
      await watch(page);
      await moving(page);
      await page.getByRole('button', { name: 'Pause' }).click();
      await look();
      await page.getByRole('tab', { name: 'Custody' }).click();
      await page.getByRole('list', { name: 'Events, newest first' }).waitFor();
      await page.getByRole('button', { name: 'Verify', exact: true }).click();
      await page.getByText(/All checks out|Every event is proven/).waitFor();
      await page.getByText('Not witnessed.').waitFor();
      await page.getByRole('list', { name: 'Events, newest first' }).locator('summary').first().click();
      if (variant.width < 500) await page.getByRole('tab', { name: 'Custody' }).scrollIntoViewIfNeeded();
      await look('custody');
      await page.getByRole('button', { name: /remember it here/ }).click();
      await page.getByText('Every event is proven').waitFor();
      await page.getByRole('tab', { name: 'Working copies' }).click();
      await look('copies');
    },
  },
  {
    name: 'playing',
    async run({ page }) {
      await page.addInitScript(() => {
        const send = navigator.sendBeacon.bind(navigator);
        navigator.sendBeacon = (url, blob) => {
          void blob.text().then((text) => { window.beacon = { url, text }; });
          return send(url, blob);
        };
      });
      const ended = page.waitForResponse(/\/api\/consultations\/\w+\/end$/);
      await watch(page);
      await moving(page);
      const [t1, one] = [await time(page), await picture(page)];
      await page.waitForTimeout(1500);
      const [t2, two] = [await time(page), await picture(page)];
      assert.ok(t2 - t1 > 0.8, `the video advances: ${t1} to ${t2}`);
      assert.ok(difference(one, two) > 0.5, 'two frames differ');
      assert.ok(one.some((v, i) => i % 4 !== 3 && v > 40), 'the picture is not black');
      await page.locator('main').focus();
      await page.keyboard.press('Space');
      await until(page, () => document.querySelector('video').paused);
      const t = await time(page);
      await page.keyboard.press('.');
      await until(page, (from) => document.querySelector('video').currentTime > from + 0.001, t);
      const frame = () => page.getByTestId('clock').innerText().then((s) => Number(/frame (\d+)/.exec(s)[1]));
      await page.waitForTimeout(300);
      const f = await frame();
      await page.keyboard.press('.');
      await until(page, (n) => document.querySelector('[data-testid=clock]').textContent.endsWith(`frame ${n}`), f + 1);
      await page.keyboard.press(',');
      await until(page, (n) => document.querySelector('[data-testid=clock]').textContent.endsWith(`frame ${n}`), f);
      const before = await time(page);
      await page.keyboard.press('ArrowRight');
      await until(page, (from) => document.querySelector('video').currentTime > from + 4, before);
      await page.keyboard.press('j');
      await until(page, (from) => document.querySelector('video').currentTime < from, before + 4);
      await page.keyboard.press(']');
      assert.equal(await page.evaluate(() => document.querySelector('video').playbackRate), 1.5);
      await page.keyboard.press('m');
      assert.equal(await page.evaluate(() => document.querySelector('video').muted), true);
      await page.keyboard.press('k');
      await moving(page);
      await page.keyboard.press('f');
      await until(page, () => !!document.fullscreenElement);
      assert.ok(await page.evaluate(() => /\S/.test([...document.fullscreenElement.querySelectorAll('[aria-hidden] span')].map((s) => s.textContent).join(''))), 'the watermark stays in full screen');
      await page.keyboard.press('f');
      await until(page, () => !document.fullscreenElement);
      await menu(page, 'Recordings').click();
      assert.equal((await ended).status(), 204);
      const told = JSON.parse(await page.evaluate(() => window.beacon.text));
      assert.ok(told.watchedMs > 500 && told.watchedMs < 60_000, `watched ${told.watchedMs} ms`);
    },
  },
  {
    name: 'watermark', variants: [{ theme: 'dark', width: 1440 }, { theme: 'light', width: 390, height: 844 }],
    async run({ page, look, levers, context, allow }) {
      allow(/status of 422/); // a force's rule may want a reference first
      await watch(page);
      await moving(page);
      await marked(page, '');
      await look();
      if (!levers) { // the footage has no page of its own
        allow(/status of 403/);
        const source = await page.evaluate(() => document.querySelector('video').src);
        const other = await context.newPage();
        const answer = await other.goto(source);
        assert.equal(answer.status(), 403);
        assert.equal((await answer.json()).code, 'denied');
        await other.close();
      }
      // Whoever takes it out of the page watches no longer.
      for (const take of [
        (m) => m.remove(),
        (m) => { m.style.opacity = '0'; },
        (m) => { m.firstElementChild.textContent = 'nobody'; },
        (m) => { m.parentElement.querySelector('video').after(m); m.style.display = 'none'; },
      ]) {
        await page.getByTestId('watermark').evaluate(take);
        await page.getByText('This viewing has ended.').waitFor();
        assert.equal(await page.locator('video').count(), 0);
        await page.getByRole('button', { name: 'Watch again' }).click();
        await moving(page);
      }
    },
  },
  {
    name: 'timeline', mockOnly: true, variants: [{ theme: 'dark', width: 1440 }, { theme: 'light', width: 1440 }],
    async run({ page, look }) {
      await openFirst(page);
      await (await find(page, /4 segments/)).click();
      await begin(page, 'Watch');
      await moving(page);
      const bar = page.getByRole('slider', { name: 'Place in the recording' });
      const box = await bar.boundingBox();
      await bar.hover({ position: { x: box.width * 0.13, y: 10 } });
      await look('preview');
      await bar.click({ position: { x: box.width * 0.4, y: 10 } });
      await until(page, () => document.querySelector('video').src.includes('/2/') && document.querySelector('video').currentTime > 1);
      await bar.focus();
      await page.keyboard.press('End');
      await page.getByText('Needs a viewing copy').last().waitFor();
      await look('needs a copy');
      await page.getByRole('button', { name: 'Make a viewing copy' }).click();
      await page.getByText('Making a viewing copy').waitFor();
      await look('making');
      await until(page, () => document.querySelector('video')?.src.endsWith('/4/proxy'));
      await marked(page, 'Insp. R. Patel');
      await page.getByRole('region', { name: 'Segments' }).getByRole('button').first().click();
      await until(page, () => document.querySelector('video').src.includes('/1/'));
    },
  },
  {
    name: 'states', mockOnly: true, variants: [{ theme: 'dark', width: 1440 }, { theme: 'light', width: 390, height: 844 }],
    async run({ page, look }) {
      for (const [words, name] of [['Cannot be shown as video', 'none'], ['Being prepared', 'pending'], ['Sound only', 'audio']]) {
        await openFirst(page);
        await (await find(page, words)).click();
        if (name === 'none') await page.getByText('is stored exactly as the camera wrote it').waitFor();
        if (name === 'pending') await page.getByText('being prepared', { exact: false }).last().waitFor();
        if (name === 'audio') {
          await begin(page, 'Listen');
          await moving(page);
          await marked(page, 'Insp. R. Patel');
        }
        await look(name);
      }
    },
  },
  {
    name: 'viewing ends', mockOnly: true,
    async run({ page, pull, allow, look }) {
      allow(/status of 404/);
      await watch(page);
      await moving(page);
      await pull('end');
      await page.evaluate(() => { const v = document.querySelector('video'); v.src = v.src + '?again'; });
      await page.getByText('This viewing has ended.').waitFor();
      await look();
      await page.getByRole('button', { name: 'Watch again' }).click();
      await moving(page);
    },
  },
  {
    name: 'docks', variants: all,
    async run({ page, look, levers }) {
      await page.goto('/docks');
      await page.getByRole('heading', { name: 'Docks', level: 1 }).waitFor();
      if (levers) {
        const numbers = page.getByText(/ of 2\.4 GB/).first();
        const before = await numbers.innerText();
        await until(page, (was) => [...document.querySelectorAll('p')].some((p) => / of 2\.4 GB/.test(p.textContent) && !p.textContent.includes(was)), before);
      }
      await look();
    },
  },
  {
    name: 'system', variants: all,
    async run({ page, look }) {
      await page.goto('/system');
      await page.getByRole('navigation', { name: 'Main' }).waitFor();
      if (await menu(page, 'System').count()) {
        await page.getByRole('heading', { name: 'System', level: 1 }).waitFor();
        await page.getByRole('heading', { name: 'Ledger' }).waitFor();
      } else {
        await page.getByText('This page is not open to you').waitFor();
      }
      await look();
    },
  },
];
