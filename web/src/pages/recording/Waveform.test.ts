import { expect, it } from 'vitest';
import { columnPeaks, gainOf } from './Waveform';

it('keeps the loudest peak of each column', () => {
  expect(columnPeaks(new Uint8Array([0, 255, 51, 102]), 2)).toEqual([1, 0.4]);
  expect(columnPeaks(new Uint8Array([255]), 3)).toEqual([1, 1, 1]);
  expect(columnPeaks(new Uint8Array(), 2)).toEqual([0, 0]);
});

it('draws quiet footage larger, all segments by the same measure', () => {
  expect(gainOf([new Uint8Array([51, 10]), undefined, new Uint8Array([20])])).toBe(5);
  expect(gainOf([new Uint8Array([1])])).toBe(12);
  expect(gainOf([])).toBe(12);
});
