import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useQueries } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { api } from '../../api/client';
import type { PlayableSegment } from '../../api/types';
import styles from './Player.module.css';
import type { Piece } from './timeline';

/** The loudest peak (0 to 1) of each of n columns. */
export function columnPeaks(peaks: Uint8Array, n: number): number[] {
  return Array.from({ length: n }, (_, i) => {
    const from = Math.floor((i * peaks.length) / n);
    const to = Math.max(from + 1, Math.floor(((i + 1) * peaks.length) / n));
    let most = 0;
    for (let j = from; j < to && j < peaks.length; j++) most = Math.max(most, peaks[j] ?? 0);
    return most / 255;
  });
}

/** How much to draw quiet footage larger: its loudest peak fills the height, but noise alone does not look like speech. */
export function gainOf(peaks: (Uint8Array | undefined)[]): number {
  let most = 0;
  for (const p of peaks) p?.forEach((v) => { most = Math.max(most, v); });
  return Math.min(12, 255 / Math.max(1, most));
}

interface Props {
  segments: PlayableSegment[];
  pieces: Piece[];
  /** how far it has been played, 0 to 1 */
  played: number;
  tall?: boolean;
}

/** How loud the recording is, over its whole length, under the same places as the timeline. */
export function Waveform({ segments, pieces, played, tall }: Props) {
  const { ref, width, height } = useElementSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useComputedColorScheme('dark');
  const loaded = useQueries({
    queries: segments.map((s) => ({
      queryKey: ['peaks', s.waveform?.url ?? ''],
      queryFn: ({ signal }: { signal: AbortSignal }) => api.peaks(s.waveform?.url ?? '', signal),
      enabled: !!s.waveform,
      staleTime: Infinity,
      gcTime: 0,
      retry: false,
    })),
    combine: (all) => all.map((q) => q.data),
  });

  useEffect(() => {
    const c = canvas.current;
    const paint = c?.getContext('2d');
    if (!c || !paint || !width) return;
    const dense = window.devicePixelRatio || 1;
    c.width = width * dense;
    c.height = height * dense;
    paint.scale(dense, dense);
    const style = getComputedStyle(c);
    const colours = { played: style.getPropertyValue('--c-accent'), rest: style.getPropertyValue('--c-edge') };
    const middle = height / 2;
    const pitch = tall ? 4 : 3;
    const gain = gainOf(loaded);
    segments.forEach((s, i) => {
      const p = pieces.find((q) => q.kind === 'segment' && q.number === s.number);
      if (!p) return;
      const peaks = loaded[i];
      const n = Math.max(1, Math.floor((p.w * width) / pitch));
      const columns = peaks ? columnPeaks(peaks, n) : Array.from({ length: n }, () => 0);
      columns.forEach((v, k) => {
        const x = p.x * width + k * pitch;
        const h = Math.max(1, Math.min(1, v * gain) * (height - 4));
        paint.fillStyle = x / width <= played ? colours.played : colours.rest;
        paint.fillRect(x, middle - h / 2, pitch - 1, h);
      });
    });
  }, [width, height, loaded, pieces, segments, played, scheme, tall]);

  return (
    <div ref={ref} className={tall ? styles.waveformTall : styles.waveform}>
      <canvas ref={canvas} aria-hidden />
    </div>
  );
}
