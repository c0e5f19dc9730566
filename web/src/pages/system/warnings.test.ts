import { expect, it } from 'vitest';
import type { Store, System } from '../../api/types';
import { warnings } from './warnings';

const now = new Date('2026-11-21T12:00:00Z');
const main: Store = { name: 'main', engine: 'folder', place: '/data', bytesFree: 800, bytesTotal: 1000, objects: 1, bytes: 1, state: 'ok', message: '' };
const never = '0001-01-01T00:00:00Z';
const signing = { name: 'court', keyName: 'court.example/w', algorithm: 'Ed25519', size: 10, at: '2026-11-21T11:59:00Z', since: never, trouble: '' };
const well = (): System => ({
  version: '0.1', startedAt: '2026-11-20T00:00:00Z',
  stores: [main],
  ledger: { events: 10, size: 10, checkpointSize: 10, checkpointAt: '2026-11-21T11:00:00Z', origin: 'o', logKey: 'k', state: 'ok', message: '', witnessed: true },
  work: { waiting: 0, running: 0, failed: 0, done: 5, recent: [] }, database: { engine: 'sqlite', bytes: 1 }, uploads: { open: 0, bytes: 0 },
  approvals: { open: 0, glass: 0, reviews: 0, overdue: 0 }, passwordAlone: 0,
  witness: { size: 10, at: '2026-11-21T11:59:00Z', since: never, witnesses: [{ ...signing }], authorities: [{ name: 'tsa.example', size: 10, at: '2026-11-21T11:30:00Z', late: false, trouble: '' }] },
});

it('says nothing when all is well', () => expect(warnings(well(), now)).toEqual([]));

it('puts what must be done now before what can wait', () => {
  const s = well();
  s.stores = [{ ...main, bytesFree: 20 }];
  s.ledger = { ...s.ledger, events: 12, witnessed: false };
  s.witness = { ...s.witness, witnesses: [] };
  s.work.failed = 1;
  const found = warnings(s, now);
  expect(found.map((w) => w.tone)).toEqual(['bad', 'bad', 'warn', 'warn']);
  expect(found[0]?.says).toContain('store main is nearly full');
  expect(found[1]?.says).toContain('2 events of the ledger have not been signed');
});

it('says that a password alone is enough', () => {
  const found = warnings({ ...well(), passwordAlone: 3 }, now);
  expect(found.map((w) => w.tone)).toEqual(['warn']);
  expect(found[0]?.says).toContain('3 accounts can be opened with a password alone');
});

it('warns of a store that is filling and of one that does not work', () => {
  const s = well();
  s.stores = [{ ...main, bytesFree: 100 }, { ...main, name: 'second', state: 'read-only', message: 'The disk gave an error.' }];
  expect(warnings(s, now).map((w) => w.says)).toEqual(['store second is read-only. The disk gave an error.', expect.stringContaining('filling up') as string]);
});

it('says that reviews of emergency access are overdue, and that some is in use', () => {
  const s = well();
  s.approvals = { open: 3, glass: 1, reviews: 2, overdue: 1 };
  const found = warnings(s, now);
  expect(found.map((w) => w.tone)).toEqual(['bad', 'warn']);
  expect(found[0]?.says).toContain('1 review of emergency access is overdue');
});

it('says since when the log is not witnessed, and whose fault it is', () => {
  const s = well();
  s.ledger.witnessed = false;
  s.witness = { ...s.witness, since: '2026-11-21T11:55:00Z', witnesses: [{ ...signing, since: '2026-11-21T11:55:00Z', trouble: 'It does not answer.' }] };
  expect(warnings(s, now)).toEqual([
    { tone: 'bad', says: expect.stringContaining('the log has not been witnessed since 21 Nov 2026, 11:55:00') as string },
    { tone: 'warn', says: expect.stringMatching(/^witness court has not signed since .*11:55:00.* It does not answer\.$/) as string },
  ]);
  s.witness = { ...s.witness, at: never, witnesses: [{ ...signing, at: never, since: '2026-11-21T11:55:00Z', trouble: 'It refuses.' }] };
  expect(warnings(s, now).map((w) => w.says)).toEqual([expect.stringContaining('has not been witnessed yet') as string, 'witness court has not signed yet. It refuses.']);
});

it('gives a witness a minute, and an authority until it is late', () => {
  const s = well();
  s.witness = { ...s.witness, witnesses: [{ ...signing, since: '2026-11-21T11:59:30Z', trouble: 'It does not answer.' }], authorities: [{ name: 'tsa.example', size: 4, at: '2026-11-21T09:00:00Z', late: true, trouble: 'It refuses (status 500).' }] };
  expect(warnings(s, now).map((w) => w.says)).toEqual([expect.stringMatching(/^timestamp authority tsa\.example has given no timestamp since .* It refuses/) as string]);
});
