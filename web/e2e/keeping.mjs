// Tests of the rules on recordings: purpose, owner, class, cases, holds.
import assert from 'node:assert/strict';
import { signIn } from './browser.mjs';

const both = [{ theme: 'dark', width: 1440 }, { theme: 'light', width: 390, height: 844 }];
const wide = ['dark', 'light'].map((theme) => ({ theme, width: 1440 }));
const cards = (page) => page.getByRole('list', { name: 'Recordings' }).getByRole('link');
const plain = /^(?!.*(Being prepared|Cannot be shown|Sound only|Needs a viewing)).*$/s;

/** Opens recording n of the list, of those that test picks. */
async function openCard(page, n, test = () => true) {
  await page.goto('/recordings');
  await cards(page).first().waitFor();
  const items = await page.evaluate(async () => (await (await fetch('/api/recordings?limit=60')).json()).items);
  await page.goto(`/recordings/${items.filter(test)[n].id}`);
  await page.getByRole('tab', { name: 'Details' }).waitFor();
}
const kept = (page) => page.getByRole('region', { name: 'How it is kept' });
const moving = (page) => page.waitForFunction(() => { const v = document.querySelector('video'); return v && v.currentTime > 0.3 && !v.paused; });
/** The focus goes round inside the dialogue, and Escape closes it. */
async function closesByKeyboard(page, dialogue) {
  for (let i = 0; i < 25; i++) {
    await page.keyboard.press('Tab');
    assert.ok(await dialogue.evaluate((d) => d.contains(document.activeElement)), 'the focus stays in the dialogue');
  }
  await page.keyboard.press('Escape');
  await dialogue.waitFor({ state: 'hidden' });
}

export const keeping = [
  {
    name: 'purpose', mockOnly: true, variants: both,
    async run({ page, look, allow, pull }) {
      allow(/status of 422/);
      await pull('reset');
      await openCard(page, 1);
      await page.getByText('You are asked for the purpose first.').waitFor();
      const watch = page.getByRole('button', { name: 'Watch', exact: true });
      await watch.click();
      const dialogue = page.getByRole('dialog', { name: 'Why do you want to watch this?' });
      await dialogue.waitFor();
      assert.equal(await dialogue.getByRole('textbox').count(), 1, 'no reference is asked for before there is a purpose');
      await dialogue.getByRole('button', { name: 'Watch' }).click();
      await dialogue.getByText('Choose why you want to watch it.').waitFor();
      await dialogue.getByLabel('Training').check();
      assert.equal(await dialogue.getByRole('textbox').count(), 1, 'training needs no reference');
      await dialogue.getByLabel('Case preparation').check();
      await dialogue.getByRole('button', { name: 'Watch' }).click();
      await dialogue.getByText('Case preparation needs a case number.').waitFor();
      await dialogue.getByLabel('Case number').fill('AP/9/99');
      await dialogue.getByRole('button', { name: 'Watch' }).click();
      await dialogue.getByText('There is no open case with that number.', { exact: false }).waitFor();
      assert.equal(await dialogue.getByLabel('Case number').getAttribute('aria-invalid'), 'true', 'the refusal stands at its field');
      await look('refused');
      await dialogue.getByLabel('Complaint').check();
      await dialogue.getByText('records a hold request', { exact: false }).waitFor();
      await dialogue.getByLabel('Complaint number').fill('CO/118/26');
      await look('with a hold');
      await page.keyboard.press('Enter');
      await moving(page);
      // It holds: the next look needs no dialogue, and says for what it is.
      await page.reload();
      await page.getByText('Purpose: Complaint, CO/118/26').waitFor();
      await page.getByText('Hold requested').first().waitFor();
      await look('in force');
      await watch.click();
      await moving(page);
    },
  },
  {
    name: 'own footage', mockOnly: true, signedOut: true,
    async run({ page, password }) {
      await page.goto('/sign-in');
      await signIn(page, 'officer', password);
      await page.goto('/recordings?officer=4711');
      await page.getByRole('list', { name: 'Recordings' }).getByRole('link').filter({ hasText: plain }).first().click();
      await page.getByText('Your own footage: no purpose is asked for.').waitFor();
      assert.equal(await kept(page).getByRole('button').count(), 0, 'an officer changes nothing of how it is kept');
      await page.getByRole('button', { name: 'Watch', exact: true }).click();
      await moving(page);
    },
  },
  {
    name: 'how it is kept', mockOnly: true, variants: both,
    async run({ page, look }) {
      await openCard(page, 12);
      await page.getByRole('heading', { level: 1 }).locator('..').getByText('Restricted').waitFor();
      await kept(page).getByText('Incident AP-INC-3317').waitFor();
      await kept(page).scrollIntoViewIfNeeded();
      await look('details');
    },
  },
  {
    name: 'restrict', mockOnly: true, variants: [...wide, { theme: 'light', width: 390, height: 844 }],
    async run({ page, look, allow }) {
      allow(/status of 403|status of 422/);
      await openCard(page, 18);
      const open = () => kept(page).getByRole('button', { name: 'Change class' }).click();
      const dialogue = page.getByRole('dialog', { name: 'How closely is this kept?' });
      await open();
      await dialogue.waitFor();
      await closesByKeyboard(page, dialogue);
      await open();
      await dialogue.getByRole('button', { name: 'Keep it so' }).click();
      await dialogue.getByText('Say why it is to be kept so.').waitFor();
      await dialogue.getByLabel('Restricted').check();
      await dialogue.getByRole('button', { name: 'Add a name' }).click();
      await page.keyboard.type('7731');
      await dialogue.getByLabel('Reason').fill('Complaint CO/118/26');
      await dialogue.getByRole('button', { name: 'Keep it so' }).click();
      await dialogue.getByText('Nobody puts their own name on an access list', { exact: false }).waitFor();
      await look('refused');
      await dialogue.getByLabel('Person').fill('9004');
      await dialogue.getByLabel('Last day (or no end)').fill('2099-12-31');
      await dialogue.getByRole('button', { name: 'Keep it so' }).click();
      await dialogue.waitFor({ state: 'hidden' });
      await kept(page).getByText('DCI M. Hughes 9004').waitFor();
      await kept(page).getByText('until 1 Jan 2100', { exact: false }).waitFor();
      // And back: whoever stands on the list is taken off by one press.
      await open();
      await dialogue.getByLabel('Normal').check();
      await look('again');
      await dialogue.getByRole('button', { name: 'Take DCI M. Hughes 9004 off the list' }).click();
      await dialogue.getByLabel('Reason').fill('Complaint closed');
      await dialogue.getByRole('button', { name: 'Keep it so' }).click();
      await dialogue.waitFor({ state: 'hidden' });
      await kept(page).getByText('Nobody', { exact: true }).waitFor();
    },
  },
  {
    name: 'assign', mockOnly: true, variants: both,
    async run({ page, look, allow }) {
      allow(/status of 422/);
      await openCard(page, 0, (c) => !c.officer);
      const dialogue = page.getByRole('dialog', { name: 'Whose footage is this?' });
      await kept(page).getByText('Nobody’s yet').waitFor();
      await kept(page).getByRole('button', { name: 'Assign' }).click();
      await dialogue.getByLabel('Person').fill('nobody');
      await dialogue.getByLabel('Reason').fill('The camera was lent');
      await dialogue.getByRole('button', { name: 'Assign' }).click();
      await dialogue.getByText('There is no account with that sign-in name', { exact: false }).waitFor();
      await look('refused');
      await dialogue.getByLabel('Person').fill('4711');
      await page.keyboard.press('Enter');
      await dialogue.waitFor({ state: 'hidden' });
      await kept(page).getByText('PC T. Adeyemi 4711').waitFor();
      await kept(page).getByRole('button', { name: 'Change whose footage' }).click();
      await dialogue.getByLabel('Nobody’s: take the owner off').check();
      await dialogue.getByLabel('Reason').fill('It was not lent');
      await look('nobody');
      await dialogue.getByRole('button', { name: 'Make it nobody’s' }).click();
      await kept(page).getByText('Nobody’s yet').waitFor();
    },
  },
  {
    name: 'cases', mockOnly: true, variants: both,
    async run({ page, look, allow }) {
      allow(/status of 422/);
      await openCard(page, 19);
      await kept(page).getByRole('button', { name: 'Put into a case' }).click();
      const dialogue = page.getByRole('dialog', { name: 'Put it into a case or incident' });
      await dialogue.getByLabel('Case or incident number').fill('AP/0/00');
      await page.keyboard.press('Enter');
      await dialogue.getByText('There is no case or incident with that number.', { exact: false }).waitFor();
      await look('refused');
      await dialogue.getByLabel('Case or incident number').fill('AP/1042/26');
      await page.keyboard.press('Enter');
      await dialogue.waitFor({ state: 'hidden' });
      await kept(page).getByRole('button', { name: 'Take out of AP/1042/26' }).click();
      const out = page.getByRole('dialog', { name: 'Take it out of AP/1042/26' });
      await look('out');
      await out.getByRole('button', { name: 'Take out' }).click();
      await kept(page).getByText('No case or incident').waitFor();
    },
  },
  {
    name: 'holds', mockOnly: true, variants: both,
    async run({ page, look, pull, allow }) {
      allow(/status of 503/);
      await page.goto('/');
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Holds' }).click();
      const list = page.getByRole('list', { name: 'Hold requests, newest first' });
      await list.waitFor();
      await look();
      assert.equal(await list.getByRole('listitem').count(), 60);
      await pull('fail?path=/api/hold-requests&status=503');
      await page.getByRole('button', { name: 'Show more' }).click();
      await page.getByText('The next ones could not be fetched').waitFor();
      await pull('reset');
      await page.getByRole('button', { name: 'Show more' }).click();
      await page.waitForFunction(() => document.querySelectorAll('main li').length >= 64);
      assert.equal(await page.getByRole('button', { name: 'Show more' }).count(), 0);
      await list.getByRole('link').first().click();
      await page.getByText('Hold requested').first().waitFor();
      await pull('fail?path=/api/hold-requests&status=503');
      await page.goto('/holds');
      await page.getByText('Custos cannot do this just now', { exact: true }).waitFor();
    },
  },
  {
    name: 'no holds', mockOnly: true, signedOut: true,
    async run({ page, look, password }) {
      await page.goto('/sign-in');
      await signIn(page, 'empty', password);
      await page.goto('/holds');
      await page.getByText('No hold is requested').waitFor();
      await look();
    },
  },
  {
    name: 'hidden while open', mockOnly: true,
    async run({ page, pull, allow, look }) {
      allow(/status of 404/);
      await page.goto('/recordings');
      await cards(page).nth(3).waitFor();
      const path = await cards(page).nth(3).getAttribute('href');
      await cards(page).nth(3).click();
      await page.getByRole('tab', { name: 'Details' }).waitFor();
      await page.waitForTimeout(500); // the event stream is open
      await pull(`hide?id=${path.split('/').at(-1)}`);
      await page.getByText('There is no such recording', { exact: true }).waitFor();
      await look();
      assert.equal(await page.getByText(/Camera AB3|SHA-256|Officer 4/).count(), 0, 'nothing of it is shown any more');
      await page.getByRole('link', { name: 'Recordings' }).first().click();
      await cards(page).first().waitFor();
      await page.waitForTimeout(500);
      assert.equal(await page.locator(`a[href="${path}"]`).count(), 0, 'no list shows it');
      // And from a list that stands open: the card goes.
      const other = await cards(page).nth(1).getAttribute('href');
      await pull(`hide?id=${other.split('/').at(-1)}`);
      await page.waitForFunction((href) => !document.querySelector(`a[href="${href}"]`), other);
    },
  },
];
