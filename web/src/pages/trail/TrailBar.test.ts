import { expect, it } from 'vitest';
import { byAccount } from './TrailBar';

it('shows an account once, under every name that it acted under', () => {
  const p = { id: 'p1', kind: 'person', number: '5120' };
  expect(byAccount([
    { ...p, name: 'DC N. Okafor', role: 'investigator' },
    { ...p, name: 'DS N. Okafor-Hale', role: 'supervisor' },
    { id: 'prepare', kind: 'system', name: 'Custos prepare', number: '', role: '' },
  ])).toEqual([
    { id: 'p1', names: 'DC N. Okafor 5120, also DS N. Okafor-Hale 5120', also: 'investigator, supervisor' },
    { id: 'prepare', names: 'Custos prepare', also: 'system' },
  ]);
});
