import { describe, expect, it } from 'vitest';
import type { Unit } from '../api/types';
import { tree, unitChoices, withBelow } from './units';

const unit = (id: string, parent: string, closed = false): Unit => ({ id, code: id.toUpperCase(), name: id, parent, createdAt: '', closedAt: closed ? '2026-01-01T00:00:00Z' : undefined, people: 0, leads: [] });
const units = [unit('b10', 'top'), unit('b2', 'top'), unit('deep', 'b2'), unit('top', ''), unit('old', 'top', true)];

describe('units', () => {
  it('are read from the top, by code', () => {
    expect(tree(units).map(({ unit: u, depth }) => `${depth}${u.id}`)).toEqual(['0top', '1b2', '2deep', '1b10', '1old']);
  });
  it('know what is below them', () => {
    expect([...withBelow(units, 'b2')]).toEqual(['b2', 'deep']);
    expect(withBelow(units, 'top').size).toBe(5);
  });
  it('can be chosen while they are open and not below themselves', () => {
    expect(unitChoices(units, withBelow(units, 'b2')).map((c) => c.value)).toEqual(['top', 'b10']);
  });
});
