// Tests of the pages of people, units and cases, for run.mjs. They use the
// mock's people: who they are on a real server is that server's business.
import assert from 'node:assert/strict';

const both = [{ theme: 'dark', width: 1440 }, { theme: 'light', width: 390, height: 844 }];

export const peopleTests = [
  {
    name: 'people', mockOnly: true, variants: both,
    async run({ page, look, allow }) {
      allow(/status of 409/);
      await page.goto('/people');
      await page.getByText('133 people').waitFor();
      await page.getByRole('button', { name: 'Show more' }).click();
      await page.getByRole('link', { name: 'PC Okafor' }).waitFor();
      await look('list');
      await page.getByLabel('Search').fill('adey');
      await page.getByText('1 person').waitFor();
      await page.getByRole('link', { name: 'PC Adeyemi' }).click();
      await page.getByRole('heading', { name: 'PC Adeyemi', level: 1 }).waitFor();
      await look('person');
      await page.getByRole('button', { name: 'Issue a camera' }).click();
      const dialogue = page.getByRole('dialog');
      await dialogue.getByLabel('Camera').fill('K-0417');
      await dialogue.getByRole('button', { name: 'Issue' }).click();
      await dialogue.getByRole('alert').filter({ hasText: 'with somebody in that time' }).waitFor();
      await look('refused');
    },
  },
  {
    name: 'import', mockOnly: true, variants: both,
    async run({ page, look }) {
      await page.goto('/people');
      await page.getByRole('button', { name: 'Import' }).click();
      const dialogue = page.getByRole('dialog');
      await dialogue.locator('input[type=file]').setInputFiles({ name: 'staff.csv', mimeType: 'text/csv', buffer: Buffer.from('login\nadeyemi\n') });
      await dialogue.getByText('Nothing has been changed yet.').waitFor();
      assert.equal(await dialogue.getByRole('cell', { name: 'llewellyn' }).count(), 0, 'an unchanged line is shown unasked');
      await look('preview');
      await dialogue.getByRole('button', { name: 'Import 2 people' }).click();
      await dialogue.getByText('1 person added, 1 person changed').waitFor();
      await look('done');
    },
  },
  {
    name: 'units', mockOnly: true, variants: both,
    async run({ page, look }) {
      await page.goto('/units');
      await page.getByRole('strong').filter({ hasText: 'Response A' }).waitFor();
      assert.equal(await page.getByRole('button', { name: 'Close Response A' }).count(), 0, 'a unit with people can be closed');
      assert.equal(await page.getByRole('button', { name: 'Rename or move Mounted Section' }).count(), 0, 'a closed unit can be changed');
      await look();
      await page.getByRole('button', { name: 'Rename or move Thornshire Police' }).click();
      const choices = await page.getByRole('dialog').getByLabel('Below').locator('option').allInnerTexts();
      assert.deepEqual(choices, ['Nothing: at the top'], 'a unit can be put below itself');
    },
  },
  {
    name: 'cases', mockOnly: true, variants: both,
    async run({ page, look, variant }) {
      const who = variant.width > 500 ? 'Adeyemi' : 'Llewellyn'; // the mock keeps its members
      await page.goto('/cases');
      await page.getByRole('link', { name: 'INC-77' }).waitFor();
      await look('list');
      await page.getByRole('link', { name: 'INC-77' }).click();
      await page.getByText('What it is about is for its members').waitFor();
      assert.equal(await page.getByRole('button', { name: 'Add a member' }).count(), 0, 'somebody who is no member chooses members');
      await look('unknown');
      await page.goto('/cases');
      await page.getByRole('link', { name: '42AB/8812/26' }).click();
      await page.getByRole('button', { name: 'Add a member' }).click();
      const dialogue = page.getByRole('dialog');
      await dialogue.getByLabel('Find a person').fill(who);
      await dialogue.getByRole('radio', { name: new RegExp(who) }).check();
      await dialogue.getByLabel('What they do in it').fill('Witness');
      await look('member');
      await dialogue.getByRole('button', { name: 'Add' }).click();
      await page.getByText(`PC ${who}, Witness`).first().waitFor();
    },
  },
];
