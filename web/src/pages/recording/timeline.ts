// The timeline of a recording: its segments side by side in the order they
// were filmed, with the holes between them drawn but not to scale, so that an
// hour without footage does not squeeze the footage into nothing.
import type { Gap } from '../../api/types';

export interface Piece {
  kind: 'segment' | 'gap';
  /** of a segment: its number; of a gap: the number of the segment before it */
  number: number;
  /** playing time of the recording before this piece; a gap takes none */
  startMs: number;
  durationMs: number;
  /** place and width on the bar, 0 to 1 */
  x: number;
  w: number;
  gap?: Gap;
  /** part of this segment, from its start, that the segment before also covers: 0 to 1 */
  overlap: number;
}

/** Where in a recording: a segment and the time in it. */
export interface Place {
  number: number;
  ms: number;
}

const gapShare = { least: 0.012, most: 0.05 };

export function layOutTimeline(segments: { number: number; durationMs: number }[], gaps: Gap[]): Piece[] {
  const sum = segments.reduce((n, s) => n + s.durationMs, 0);
  // A segment whose length is not known yet gets the width of an average one.
  const other = sum > 0 ? sum / segments.filter((s) => s.durationMs > 0).length : 1;
  const wide = segments.reduce((n, s) => n + (s.durationMs || other), 0);
  const gapAfter = new Map(gaps.map((g) => [g.after, g]));

  const pieces: Piece[] = [];
  let startMs = 0;
  segments.forEach((s, i) => {
    const before = i > 0 ? gapAfter.get(segments[i - 1]?.number ?? 0) : undefined;
    if (before && (before.lengthMs > 0 || before.missing?.length)) {
      const w = Math.min(gapShare.most, Math.max(gapShare.least, before.lengthMs / wide)) * wide;
      pieces.push({ kind: 'gap', number: before.after, startMs, durationMs: 0, x: 0, w, gap: before, overlap: 0 });
    }
    const overlap = before && before.lengthMs < 0 && s.durationMs > 0 ? Math.min(1, -before.lengthMs / s.durationMs) : 0;
    pieces.push({ kind: 'segment', number: s.number, startMs, durationMs: s.durationMs, x: 0, w: s.durationMs || other, gap: overlap ? before : undefined, overlap });
    startMs += s.durationMs;
  });
  const all = pieces.reduce((n, p) => n + p.w, 0) || 1;
  let x = 0;
  for (const p of pieces) {
    p.w /= all;
    p.x = x;
    x += p.w;
  }
  return pieces;
}

/** The place under x (0 to 1); a gap leads to the segment behind it. */
export function placeAt(pieces: Piece[], x: number): Place {
  const segments = pieces.filter((p) => p.kind === 'segment');
  const p = segments.find((s) => x < s.x + s.w) ?? segments.at(-1);
  if (!p) return { number: 1, ms: 0 };
  const share = Math.min(1, Math.max(0, (x - p.x) / p.w));
  return { number: p.number, ms: share * p.durationMs };
}

/** Where a place stands on the bar, 0 to 1. */
export function xOf(pieces: Piece[], { number, ms }: Place): number {
  const p = pieces.find((s) => s.kind === 'segment' && s.number === number);
  if (!p) return 0;
  return p.x + (p.durationMs > 0 ? Math.min(1, ms / p.durationMs) * p.w : 0);
}

/** Playing time of the recording before a place. */
export function timeOf(pieces: Piece[], { number, ms }: Place): number {
  return (pieces.find((s) => s.kind === 'segment' && s.number === number)?.startMs ?? 0) + ms;
}

/** The place at a playing time, held inside the recording. */
export function placeOf(pieces: Piece[], time: number): Place {
  const segments = pieces.filter((p) => p.kind === 'segment');
  const p = segments.findLast((s) => time >= s.startMs) ?? segments[0];
  return p ? { number: p.number, ms: Math.min(p.durationMs, Math.max(0, time - p.startMs)) } : { number: 1, ms: 0 };
}

/** The frame that is shown at a time, from 0. A picture's time stamp can be a hair early. */
export const frameAt = (seconds: number, rate: number) => Math.floor(seconds * rate + 0.05);

/** A time in the middle of the frame that is by frames away: there no rounding leads to a neighbour. */
export const frameTime = (seconds: number, rate: number, by: number) => Math.max(0, (frameAt(seconds, rate) + by + 0.5) / rate);
