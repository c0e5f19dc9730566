// Everybody opens everything they are offered, and tries what they are not.
//
//   node sweep.mjs BASE PASSWORD RECORDING WHO…
//
// Each of WHO opens every entry of their menu in dark and light, and the first
// recording they see with its tabs and dialogues in one of the two, by turns;
// then every page that somebody else was offered. No page may have a fault, and nothing that a page asks for by
// itself may be refused: what may not be had is not offered.
import { axeFaults, launch, open, overflow, signIn } from '../../web/e2e/browser.mjs';

const [base, password, recording, ...people] = process.argv.slice(2);
const browser = await launch();
const faults = { said: new Set(), push: (...all) => all.forEach((f) => faults.said.has(f) || (faults.said.add(f), console.log(f))) };
const offered = new Map(); // pages of the menu, by who
const refusal = /^(401|403|404)$/;

/** A tab of somebody, that notes what it is refused. */
async function tabOf(who, theme) {
  const tab = await open(browser, base, { theme });
  tab.page.setDefaultTimeout(20_000);
  tab.page.on('response', (r) => {
    const { pathname } = new URL(r.url());
    if (pathname.startsWith('/api/') && refusal.test(String(r.status()))) faults.push(`${who}: ${r.request().method()} ${pathname} is refused with ${r.status()} on ${new URL(tab.page.url()).pathname}`);
  });
  await tab.page.goto('/sign-in');
  await signIn(tab.page, who, password);
  return tab;
}
async function settled(page) {
  await page.waitForFunction(() => document.querySelector('main h1') && !/^Opening /m.test(document.querySelector('main').innerText));
  await page.waitForTimeout(300);
}
const look = async (tab, who, name) => faults.push(...[...(await axeFaults(tab.page)), ...(await overflow(tab.page))].map((f) => `${who} on ${name}: ${f}`));
const closed = (page) => page.getByText('This page is not open to you').isVisible();

async function sweep(who, theme) {
  const tab = await tabOf(who, theme);
  const { page } = tab;
  await settled(page);
  const links = await page.getByRole('navigation', { name: 'Main' }).getByRole('link').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
  offered.set(who, links);
  for (const path of links) {
    await page.goto(path);
    await settled(page);
    if (await closed(page)) faults.push(`${who} is offered ${path}, and it is not open to them`);
    await look(tab, who, path);
  }
  if (links.includes('/recordings') && theme === (people.indexOf(who) % 2 ? 'light' : 'dark')) {
    await page.goto('/recordings');
    await settled(page);
    const first = await page.evaluate(async () => (await (await fetch('/api/recordings')).json()).items[0]?.id);
    if (first) await everyTab(tab, who, first);
  }
  faults.push(...tab.faults.map((f) => `${who}: ${f}`));
  await tab.context.close();
}

/** Opens a recording's tabs and each dialogue that it offers, and closes it again. */
async function everyTab(tab, who, id) {
  const { page } = tab;
  await page.goto(`/recordings/${id}`);
  await settled(page);
  await look(tab, who, 'a recording');
  const region = page.getByRole('region', { name: 'How it is kept' });
  for (const button of await region.getByRole('button').all()) {
    await button.click();
    await page.getByRole('dialog').waitFor();
    await page.waitForTimeout(300);
    await look(tab, who, `“${await page.getByRole('dialog').getByRole('heading').first().innerText()}”`);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  }
  for (const t of await page.getByRole('tab').all()) {
    await t.click();
    await page.waitForTimeout(500);
    await look(tab, who, `the tab ${await t.innerText()}`);
  }
}

/** Pages that somebody is not offered say so, and ask for nothing. */
async function tries(who, paths) {
  const tab = await tabOf(who, 'dark');
  for (const path of paths) {
    await tab.page.goto(path);
    await settled(tab.page);
    if (!(await closed(tab.page))) faults.push(`${who} is not offered ${path}, and it does not say that it is not open to them`);
  }
  if (!offered.get(who).includes('/recordings')) {
    await tab.page.goto(`/recordings/${recording}`);
    await settled(tab.page);
    if (!(await closed(tab.page))) faults.push(`${who} opens a recording`);
  }
  await look(tab, who, 'what is not open');
  faults.push(...tab.faults.map((f) => `${who}: ${f}`));
  await tab.context.close();
}

for (const who of people) {
  for (const theme of ['dark', 'light']) await sweep(who, theme).catch((e) => faults.push(`${who}: ${e.stack ?? e}`));
  console.log(`offered to ${who}: ${offered.get(who)?.join(' ') || 'nothing'}`);
}
const all = new Set([...offered.values()].flat());
for (const who of offered.keys()) await tries(who, [...all].filter((p) => !offered.get(who).includes(p))).catch((e) => faults.push(`${who}: ${e.stack ?? e}`));

await browser.close();
process.exitCode = faults.said.size || !all.size ? 1 : 0;
