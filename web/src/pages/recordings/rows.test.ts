import { expect, it } from 'vitest';
import type { Card } from '../../api/types';
import { layOut, rowOf, vertical } from './rows';

const cards = ['21T20', '21T19', '21T18', '20T12', '20T11', '19T10'].map((t, i) => ({ id: String(i), startedAt: `2026-11-${t}:00:00Z` }) as Card);

it('begins a new line at each day', () => {
  const rows = layOut(cards, 2);
  expect(rows.map((r) => (r.kind === 'day' ? r.day : r.cards.map((c) => c.id).join()))).toEqual(
    ['2026-11-21', '0,1', '2', '2026-11-20', '3,4', '2026-11-19', '5']);
  expect(rowOf(rows, 2)).toBe(2);
});

it('goes up and down in about the same column and stops at the ends', () => {
  const rows = layOut(cards, 2);
  expect(vertical(rows, 1, 1)).toBe(2);
  expect(vertical(rows, 2, 1)).toBe(3);
  expect(vertical(rows, 4, 1)).toBe(5);
  expect(vertical(rows, 5, 1)).toBe(5);
  expect(vertical(rows, 0, -1)).toBe(0);
});
