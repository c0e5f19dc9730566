import { expect, it } from 'vitest';
import { offsetWords } from './Details';

it.each([[null, 'was not measured'], [undefined, 'was not measured'], [0, 'none'], [3200, 'camera 3.2 seconds fast'], [-65_000, 'camera 1 minute 5 seconds slow']])(
  'an offset of %s ms is "%s"', (ms, words) => expect(offsetWords(ms)).toBe(words));
