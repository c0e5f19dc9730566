import { expect, it } from 'vitest';
import type { Store, System } from '../../api/types';
import { warnings } from './warnings';

const now = new Date('2026-11-21T12:00:00Z');
const main: Store = { name: 'main', engine: 'folder', place: '/data', bytesFree: 800, bytesTotal: 1000, objects: 1, bytes: 1, state: 'ok', message: '' };
const well = (): System => ({
  version: '0.1', startedAt: '2026-11-20T00:00:00Z',
  stores: [main],
  ledger: { events: 10, size: 10, checkpointSize: 10, checkpointAt: '2026-11-21T11:00:00Z', origin: 'o', logKey: 'k', state: 'ok', message: '', witnessed: true },
  work: { waiting: 0, running: 0, failed: 0, done: 5, recent: [] }, database: { engine: 'sqlite', bytes: 1 }, uploads: { open: 0, bytes: 0 },
  approvals: { open: 0, glass: 0, reviews: 0, overdue: 0 },
});

it('says nothing when all is well', () => expect(warnings(well(), now)).toEqual([]));

it('puts what must be done now before what can wait', () => {
  const s = well();
  s.stores = [{ ...main, bytesFree: 20 }];
  s.ledger = { ...s.ledger, events: 12, witnessed: false };
  s.work.failed = 1;
  const found = warnings(s, now);
  expect(found.map((w) => w.tone)).toEqual(['bad', 'bad', 'warn', 'warn']);
  expect(found[0]?.says).toContain('store main is nearly full');
  expect(found[1]?.says).toContain('2 events of the ledger have not been signed');
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
