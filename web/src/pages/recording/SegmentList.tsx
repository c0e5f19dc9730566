import { IconAlertTriangle } from '@tabler/icons-react';
import type { Detail } from '../../api/types';
import { MediaBadge } from '../../parts/badges';
import { bytes, length, time } from '../../words/time';
import styles from './SegmentList.module.css';
import { gapWords } from './Timeline';
import type { Piece } from './timeline';

interface Props {
  detail: Detail;
  pieces: Piece[];
  current?: number;
  onPick?: (segment: number) => void;
  heading: string;
}

/** The files of a recording in the order they were filmed, with what is missing between them. */
export function SegmentList({ detail, pieces, current, onPick, heading }: Props) {
  return (
    <section className={styles.list} aria-label="Segments">
      <h2>{heading}</h2>
      <ol>
        {pieces.map((p) => {
          if (p.kind === 'gap') return <li key={`gap${p.number}`} className={styles.gap}><IconAlertTriangle size={15} aria-hidden /> {gapWords(p)}</li>;
          const s = detail.segments.find((m) => m.number === p.number);
          if (!s) return null;
          return (
            <li key={p.number}>
              {p.overlap > 0 && <p className={styles.gap}><IconAlertTriangle size={15} aria-hidden /> {gapWords(p)}</p>}
              <button type="button" aria-current={current === p.number || undefined} disabled={!onPick} onClick={() => onPick?.(p.number)}>
                <span className={styles.number}>{p.number}</span>
                <span>{time(s.clock.trusted)}</span>
                <span className={styles.name}>{s.fileName}</span>
                <MediaBadge state={s.media.state} why={s.media.why} />
                <span className={styles.size}>{bytes(s.length)}</span>
                <span className={styles.length}>{p.durationMs ? length(p.durationMs) : '–:––'}</span>
              </button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
