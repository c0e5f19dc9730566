import { describe, expect, it } from 'vitest';
import { frameAt, frameTime, layOutTimeline, placeAt, placeOf, timeOf, xOf } from './timeline';

const three = [{ number: 1, durationMs: 60_000 }, { number: 2, durationMs: 60_000 }, { number: 3, durationMs: 30_000 }];

describe('the timeline', () => {
  const pieces = layOutTimeline(three, [{ after: 1, lengthMs: 7_200_000, missing: [5, 6] }, { after: 2, lengthMs: -3000 }]);

  it('draws a long hole small, an overlap inside the later segment, and fills the bar', () => {
    expect(pieces.map((p) => p.kind)).toEqual(['segment', 'gap', 'segment', 'segment']);
    expect(pieces[1]?.w).toBeCloseTo(0.05 / 1.05, 5);
    expect(pieces[3]?.overlap).toBeCloseTo(0.1);
    expect(pieces.reduce((n, p) => n + p.w, 0)).toBeCloseTo(1);
  });
  it('leads from a place to the bar and back', () => {
    for (const place of [{ number: 1, ms: 0 }, { number: 2, ms: 31_000 }, { number: 3, ms: 29_000 }]) {
      const back = placeAt(pieces, xOf(pieces, place));
      expect(back.number).toBe(place.number);
      expect(back.ms).toBeCloseTo(place.ms);
      expect(placeOf(pieces, timeOf(pieces, place))).toEqual(place);
    }
  });
  it('leads from a hole to the segment behind it', () => {
    const hole = pieces[1];
    expect(placeAt(pieces, (hole?.x ?? 0) + 0.01)).toEqual({ number: 2, ms: 0 });
  });
  it('holds times inside the recording', () => {
    expect(placeOf(pieces, -5)).toEqual({ number: 1, ms: 0 });
    expect(placeOf(pieces, 1e9)).toEqual({ number: 3, ms: 30_000 });
  });
  it('stands up without lengths and without segments', () => {
    expect(layOutTimeline([{ number: 1, durationMs: 0 }], [])[0]?.w).toBe(1);
    expect(placeAt(layOutTimeline([], []), 0.5)).toEqual({ number: 1, ms: 0 });
  });
});

it('steps frame by frame without getting stuck', () => {
  let t = 0;
  for (let n = 1; n <= 100; n++) {
    t = frameTime(t, 29.97, 1);
    expect(frameAt(t, 29.97)).toBe(n);
  }
  expect(frameAt(frameTime(t, 29.97, -1), 29.97)).toBe(99);
  expect(frameTime(0, 25, -1)).toBe(0);
});
