import { expect, it } from 'vitest';
import { forServer, isOpen, readFilter, withFilter } from './filter';

it('survives the way through the address', () => {
  const q = withFilter(new URLSearchParams('view=table'), { officer: '4711', from: '2026-07-01', to: '2026-07-02' });
  expect(q.get('view')).toBe('table');
  expect(readFilter(q)).toEqual({ officer: '4711', device: '', from: '2026-07-01', to: '2026-07-02' });
});

it('asks the server for whole days on the force\'s clock', () => {
  const f = readFilter(new URLSearchParams('from=2026-07-01&to=2026-07-01'));
  expect(forServer(f)).toEqual({ officer: undefined, device: undefined, from: '2026-06-30T23:00:00Z', to: '2026-07-01T23:00:00Z' });
});

it('takes no nonsense from the address', () => {
  const f = readFilter(new URLSearchParams('from=yesterday&to=2026-13-45'));
  expect(isOpen(f)).toBe(true);
});
