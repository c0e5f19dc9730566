// A browser for the tests, and the rule that every page keeps: nothing on the
// console, no report of the content policy, no failed request, no fault that
// axe can find.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--autoplay-policy=no-user-gesture-required',
  ],
});

/** A context whose pages write down everything that goes wrong in them. */
export async function open(browser, base, { width = 1440, height = 900, theme = 'dark', state } = {}) {
  const context = await browser.newContext({
    baseURL: base, viewport: { width, height }, colorScheme: theme, locale: 'en-GB', timezoneId: 'America/New_York', storageState: state,
    hasTouch: width < 500, isMobile: width < 500,
  });
  const faults = [];
  const allowed = [];
  await context.exposeBinding('custosPolicyReport', (_, report) => faults.push(`content policy: ${report}`));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => window.custosPolicyReport(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber} ${e.sample}`));
  });
  const page = await context.newPage();
  const note = (fault) => {
    if (!allowed.some((a) => a.test(fault))) faults.push(fault);
  };
  page.on('console', (m) => m.type() === 'error' && note(`console: ${m.text()} (${m.location().url})`));
  page.on('pageerror', (e) => note(`page: ${e.stack ?? e.message}`));
  page.on('request', (r) => {
    const url = new URL(r.url());
    if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== new URL(base).origin) note(`asked another server: ${r.url()}`);
  });
  return { context, page, faults, allow: (pattern) => allowed.push(pattern) };
}

/** Faults that axe finds in the page as it stands: WCAG 2.2 A and AA, and its best practices. */
export async function axeFaults(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  // What lies under a bar that stays in place is obscured until the page is scrolled; that is no fault of its size.
  for (const v of violations) v.nodes = v.nodes.filter((n) => !(v.id === 'target-size' && n.any.some((a) => /partially obscured/.test(a.message))));
  return violations.filter((v) => v.nodes.length).map((v) => `axe ${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} (${(n.any[0] ?? n.all[0] ?? n.none[0])?.message ?? v.help})`).join('; ')}`);
}

/** Faults of the layout: things that stick out of the page sideways. */
export async function overflow(page) {
  return page.evaluate(() => {
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    return wide > 1 ? [`the page is ${wide} px wider than the window`] : [];
  });
}

export async function signIn(page, user, password) {
  await page.getByLabel('Name').fill(user);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
}
