import { expect, it } from 'vitest';
import { leafHash } from './EventFields';

it('hashes a leaf as RFC 6962 does', () => {
  // the empty leaf: SHA-256 of the single byte 0x00
  expect(leafHash('')).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
});
