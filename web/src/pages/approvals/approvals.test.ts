import { expect, it } from 'vitest';
import type { Waiting } from '../../api/types';
import { lists } from './ApprovalsPage';
import { whyNot } from './RequestCard';
import { who } from './words';

const nothing: Waiting = { decide: 0, review: 0, overdue: 0, ask: [], decides: false, reviews: false, roles: [] };

it('has the lists that the server says this person has, and no others', () => {
  const shown = (w: Partial<Waiting>) => lists({ ...nothing, ...w }).map((l) => l.show);
  expect(shown({})).toEqual([]);
  expect(shown({ reviews: true, review: 2 })).toEqual(['reviews']);
  expect(shown({ ask: [{ kind: 'dock.revoke', title: 'x' }] })).toEqual(['mine', 'done']);
  expect(shown({ decides: true, reviews: true })).toEqual(['decide', 'reviews', 'done']);
});

it('says why only where this person can neither approve nor withdraw', () => {
  const no = (why: string) => ({ may: false, why });
  const yes = { may: true, why: '' };
  expect(whyNot({ approve: no('You report to them.'), refuse: yes, withdraw: no('Only they can.') })).toBe('You report to them.');
  expect(whyNot({ approve: no('You asked for this yourself.'), refuse: no('x'), withdraw: yes })).toBe('');
  expect(whyNot({ approve: yes, refuse: yes, withdraw: no('x') })).toBe('');
});

it('names somebody by what is known of them', () => {
  expect(who({ name: 'DC N. Okafor', number: '5120', roleName: 'Investigator' })).toBe('DC N. Okafor 5120, Investigator');
  expect(who({ name: 'root', number: '', roleName: '' })).toBe('root');
});
