import { describe, expect, it } from 'vitest';
import { forServer, isOpen, lastMonth, open, readFilter, withFilter } from './filter';

describe('the filter of the trail', () => {
  it('is what the address says, without what is no day', () => {
    const f = readFilter(new URLSearchParams('person=p1&reference=%20OP/17%20&from=2026-11-01&to=yesterday&view=x'));
    expect(f).toEqual({ ...open, person: 'p1', reference: 'OP/17', from: '2026-11-01' });
    expect(isOpen(f)).toBe(false);
    expect(isOpen(readFilter(new URLSearchParams('event=1')))).toBe(true);
  });
  it('leaves the rest of the address alone, but closes the open event', () => {
    expect(withFilter(new URLSearchParams('verb=consult&event=e1&x=1'), { verb: '', phase: 'refused' }).toString()).toBe('x=1&phase=refused');
  });
  it('asks for whole days on the clock of the force', () => {
    expect(forServer({ ...open, verb: 'consult', from: '2026-07-01', to: '2026-07-31' }))
      .toEqual({ verb: 'consult', from: '2026-06-30T23:00:00Z', to: '2026-07-31T23:00:00Z' });
  });
  it('reports on the month that is over', () => {
    expect(lastMonth('2026-03-15')).toEqual({ from: '2026-02-01', to: '2026-02-28' });
    expect(lastMonth('2026-01-31')).toEqual({ from: '2025-12-01', to: '2025-12-31' });
  });
});
