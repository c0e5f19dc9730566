import { expect, it } from 'vitest';
import { step, weeks } from './DateRail';

it('lays a month out in weeks from Monday', () => {
  const november = weeks('2026-11'); // begins on a Sunday
  expect(november).toHaveLength(6);
  expect(november[0]).toEqual([null, null, null, null, null, null, '2026-11-01']);
  expect(november[5]?.[0]).toBe('2026-11-30');
  expect(weeks('2024-02').flat().filter(Boolean)).toHaveLength(29);
});

it('steps over the end of a year', () => {
  expect(step('2026-12', 1)).toBe('2027-01');
  expect(step('2026-01', -1)).toBe('2025-12');
});
