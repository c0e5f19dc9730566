// Somebody sets up and uses a passkey in Debian's Chromium, with its virtual
// authenticator (Chrome DevTools Protocol, WebAuthn domain).
//
//   node identity.mjs BASE LINK LOGIN PASSWORD PICTURES
//
// LINK is an enrolment link of an administrator; LOGIN is an officer with
// PASSWORD. Exit code 0 only when all of it is as it must be and no page has a
// fault.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { axeFaults, launch, open, overflow, signIn } from '../../web/e2e/browser.mjs';

const [base, link, login, password, pictures] = process.argv.slice(2);
const browser = await launch();
const faults = [];

/** A tab with an authenticator in it. */
async function tab() {
  const t = await open(browser, base);
  t.page.setDefaultTimeout(20_000);
  t.allow(/status of 40[139]/); // bad proofs, and the last way in that stays
  const cdp = await t.context.newCDPSession(t.page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  const keys = async () => (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials;
  const verified = (isUserVerified) => cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
  const look = async (name) => {
    await t.page.waitForTimeout(350);
    if (pictures) await t.page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
    faults.push(...[...(await axeFaults(t.page)), ...(await overflow(t.page))].map((f) => `${name}: ${f}`));
  };
  return { ...t, keys, verified, look };
}

async function story(name, what) {
  const t = await tab();
  try {
    await what(t);
  } catch (e) {
    faults.push(`${name}: ${e.stack ?? e}`);
    if (pictures) await t.page.screenshot({ path: join(pictures, `failed-${name}.png`) });
  }
  faults.push(...t.faults.map((f) => `${name}: ${f}`));
  await t.context.close();
}

const signOut = async (page) => {
  await page.getByRole('button', { name: /^Account of/ }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Use a passkey' }).waitFor();
};

async function addPasskey(page, name) {
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByRole('dialog').getByLabel('Name of the passkey').fill(name);
  await page.getByRole('dialog').getByRole('button', { name: 'Go on' }).click();
}

/** The code of RFC 6238, computed here. */
function codeOf(secret, at = Date.now()) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((c) => letters.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac('sha1', key).update(step).digest();
  const from = mac[19] & 15;
  return String((mac.readUInt32BE(from) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

// The first administrator: a link, a passkey, and the service is open.
await story('administrator', async ({ page, keys, look, context, verified }) => {
  await page.goto(link);
  await look('enrol');
  await page.getByRole('button', { name: 'Begin' }).click();
  await page.getByText(/Custos opens once you have a passkey/).waitFor();
  assert.equal(new URL(page.url()).hash, '', 'the secret has left the address');
  await look('enrolling');
  await addPasskey(page, 'Blue key');
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
  await page.getByRole('button', { name: 'Remove Blue key' }).waitFor();
  const [made] = await keys();
  assert.equal(made.rpId, 'localhost');
  assert.ok(made.isResidentCredential, 'it can be found without a name');
  await look('account');

  const again = await context.newPage();
  await again.goto(link);
  await again.getByRole('button', { name: 'Begin' }).click();
  await again.getByRole('heading', { name: 'This link does not work' }).waitFor();
  await again.close();

  await signOut(page);
  await look('sign-in');
  await verified(false); // somebody else's finger
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await page.getByRole('alert').waitFor();
  await verified(true);
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
  await page.goto('/account');

  await page.getByRole('button', { name: 'Remove Blue key' }).waitFor();
  await page.getByRole('button', { name: 'Remove Blue key' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('dialog').getByText(/last way for this account/).waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'New codes' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Make codes' }).click();
  await page.getByRole('dialog', { name: 'Your recovery codes' }).getByRole('listitem').nth(9).waitFor();
  await look('recovery-codes');
});

// An officer with a password sets up a code app, and then needs its codes.
await story('officer', async ({ page, look }) => {
  await page.goto('/sign-in');
  await signIn(page, login, password);
  await page.goto('/account');
  await page.getByRole('button', { name: 'Set up' }).click();
  const dialogue = page.getByRole('dialog');
  const secret = (await dialogue.getByText('Secret:').locator('.mono').textContent()).replace(/ /g, '');
  await dialogue.getByRole('img', { name: /QR code/ }).waitFor();
  await look('code-app');
  await dialogue.getByLabel('Code that the app shows').fill(codeOf(secret));
  await dialogue.getByRole('button', { name: 'Confirm' }).click();
  await page.getByRole('button', { name: 'Remove the code app' }).waitFor();
  await signOut(page);
  await page.getByLabel('Name').fill(login);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('alert').waitFor(); // the password alone is no longer enough
  await page.getByLabel('Code').fill(codeOf(secret, Date.now() + 30_000)); // the present one is used
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
});

await browser.close();
for (const f of new Set(faults)) console.log(f);
process.exitCode = faults.length ? 1 : 0;
