import { expect, it } from 'vitest';
import { destination } from './SignInPage';

it.each([
  ['/recordings?officer=4711', '/recordings?officer=4711'],
  [null, '/'],
  ['//elsewhere.example', '/'],
  ['/\\elsewhere.example', '/'],
  ['https://elsewhere.example', '/'],
  ['/sign-in?to=/sign-in', '/'],
])('after signing in, %s leads to %s', (to, path) => expect(destination(to)).toBe(path));
