import { useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import type { PlayableSegment } from '../../api/types';
import { length, lengthInWords, plural } from '../../words/time';
import styles from './Player.module.css';
import { placeAt, placeOf, timeOf, xOf, type Piece, type Place } from './timeline';

interface Props {
  segments: PlayableSegment[];
  pieces: Piece[];
  place: Place;
  seek: (p: Place) => void;
}

/** What a hole or an overlap between two segments is called. */
export function gapWords(p: Piece): string {
  if (!p.gap) return '';
  const missing = p.gap.missing?.length ? `; ${plural(p.gap.missing.length, 'file')} of the camera's own numbering never arrived` : '';
  if (p.gap.lengthMs < 0) return `Overlap: ${lengthInWords(p.gap.lengthMs)} are in segment ${p.gap.after} and the next`;
  return `Gap of ${lengthInWords(p.gap.lengthMs)} after segment ${p.gap.after}${missing}`;
}

const previewWidth = 176;

/** The bar to seek on: segments, holes, overlaps, and pictures of what is under the pointer. */
export function Timeline({ segments, pieces, place, seek }: Props) {
  const bar = useRef<HTMLDivElement>(null);
  const [hover, setHover] = useState<number>();
  const total = pieces.reduce((n, p) => n + p.durationMs, 0);
  const time = timeOf(pieces, place);

  const share = (e: PointerEvent) => {
    const box = bar.current?.getBoundingClientRect();
    return box ? Math.min(1, Math.max(0, (e.clientX - box.left) / box.width)) : 0;
  };
  const press = (e: KeyboardEvent) => {
    const by: Record<string, number> = { ArrowLeft: -5000, ArrowDown: -5000, ArrowRight: 5000, ArrowUp: 5000, PageDown: -60_000, PageUp: 60_000, Home: -Infinity, End: Infinity };
    const ms = by[e.key];
    if (ms === undefined || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    seek(placeOf(pieces, time + ms));
  };

  return (
    <div
      ref={bar}
      className={styles.timeline}
      role="slider"
      tabIndex={0}
      aria-label="Place in the recording"
      aria-valuemin={0}
      aria-valuemax={Math.round(total / 1000)}
      aria-valuenow={Math.round(time / 1000)}
      aria-valuetext={`${lengthInWords(time)} of ${lengthInWords(total)}${segments.length > 1 ? `, segment ${place.number}` : ''}`}
      onKeyDown={press}
      onPointerDown={(e) => {
        e.currentTarget.setPointerCapture(e.pointerId);
        seek(placeAt(pieces, share(e)));
      }}
      onPointerMove={(e) => {
        setHover(share(e));
        if (e.buttons & 1 && e.currentTarget.hasPointerCapture(e.pointerId)) seek(placeAt(pieces, share(e)));
      }}
      onPointerLeave={() => setHover(undefined)}
    >
      <div className={styles.track}>
        {pieces.map((p) => (
          <span key={`${p.kind}${p.number}`} data-kind={p.kind} title={gapWords(p) || undefined} style={{ left: `${p.x * 100}%`, width: `${p.w * 100}%` }}>
            {p.overlap > 0 && <i style={{ width: `${p.overlap * 100}%` }} />}
          </span>
        ))}
        <span className={styles.played} style={{ width: `${xOf(pieces, place) * 100}%` }} />
      </div>
      <span className={styles.knob} style={{ left: `${xOf(pieces, place) * 100}%` }} />
      {hover !== undefined && <Preview x={hover} pieces={pieces} segments={segments} />}
    </div>
  );
}

function Preview({ x, pieces, segments }: { x: number; pieces: Piece[]; segments: PlayableSegment[] }) {
  const gap = pieces.find((p) => p.kind === 'gap' && x >= p.x && x < p.x + p.w);
  const at = placeAt(pieces, x);
  const sheet = segments.find((s) => s.number === at.number)?.trickplay;
  const tile = sheet && Math.min(sheet.count - 1, Math.floor(at.ms / sheet.everyMs));
  const height = sheet ? Math.round((previewWidth * sheet.tileHeight) / sheet.tileWidth) : 0;
  return (
    <span className={styles.preview} style={{ left: `clamp(${previewWidth / 2}px, ${x * 100}%, calc(100% - ${previewWidth / 2}px))` }}>
      {gap ? <span className={styles.gapWords}>{gapWords(gap)}</span> : (
        <>
          {sheet && tile !== null && tile !== undefined && (
            <span
              className={styles.tile}
              style={{
                width: previewWidth,
                height,
                backgroundImage: `url(${JSON.stringify(sheet.url)})`,
                backgroundSize: `${sheet.columns * previewWidth}px ${sheet.rows * height}px`,
                backgroundPosition: `-${(tile % sheet.columns) * previewWidth}px -${Math.floor(tile / sheet.columns) * height}px`,
              }}
            />
          )}
          <span>{length(timeOf(pieces, at))}{segments.length > 1 && ` · segment ${at.number}`}</span>
        </>
      )}
    </span>
  );
}
