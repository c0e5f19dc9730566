import { expect, it } from 'vitest';
import { listOf, placeOf } from './accessList';

const named = { id: '01jb0000000000000000000000', name: 'DCI M. Hughes', number: '9004' };

it('sends back what was not touched as it came', () => {
  const list = [{ person: named }, { person: named, until: '2026-12-01T14:30:00Z' }];
  expect(listOf(list.map(placeOf))).toEqual([{ person: named.id }, { person: named.id, until: '2026-12-01T14:30:00Z' }]);
});

it('names a place to its last day, and ends it when that day is over', () => {
  expect(placeOf({ person: named, until: '2026-12-01T00:00:00Z' }, 0)).toMatchObject({ name: 'DCI M. Hughes 9004', day: '2026-11-30' });
  expect(listOf([{ key: 1, person: ' 4711 ', name: '', day: '2026-07-01', until: '' }])).toEqual([{ person: '4711', until: '2026-07-01T23:00:00Z' }]);
});

it('takes an end off, and leaves empty rows out', () => {
  expect(listOf([{ ...placeOf({ person: named, until: '2026-12-01T14:30:00Z' }, 0), day: '' }, { key: 1, person: ' ', name: '', day: '', until: '' }]))
    .toEqual([{ person: named.id }]);
});
