import { expect, it } from 'vitest';
import { columnPeaks } from './Waveform';

it('keeps the loudest peak of each column', () => {
  expect(columnPeaks(new Uint8Array([0, 255, 51, 102]), 2)).toEqual([1, 0.4]);
  expect(columnPeaks(new Uint8Array([255]), 3)).toEqual([1, 1, 1]);
  expect(columnPeaks(new Uint8Array(), 2)).toEqual([0, 0]);
});
