import { IconArrowDown } from '@tabler/icons-react';
import type { Arrival, Detail, Segment } from '../../api/types';
import { Copy } from '../../parts/Copy';
import { Facts } from '../../parts/Facts';
import { categoryName, officerName } from '../../words/names';
import { bytes, count, full, known, length, lengthInWords, utc } from '../../words/time';
import styles from './Details.module.css';
import { Keeping } from './Keeping';

const sources: Record<string, string> = { name: 'from the file’s name', sidecar: 'from the file beside it', container: 'from inside the file', mtime: 'from the file’s date' };

export function Details({ detail }: { detail: Detail }) {
  const arrivals = detail.arrivals ?? [];
  return (
    <div className={styles.details}>
      <Facts rows={[
        ['Officer', officerName(detail.officer)],
        ['Camera', detail.device],
        ['Category', categoryName(detail.category)],
        ['Began', <Moment key="t" at={detail.startedAt} />],
        ['Length', detail.durationMs > 0 ? length(detail.durationMs) : 'Not known yet'],
        ['Size', bytes(detail.bytes)],
        ['First arrived', <Moment key="t" at={detail.createdAt} />],
        ['Recording', <span key="id" className={styles.long}><span className="mono">{detail.id}</span><Copy value={detail.id} what="the recording’s identifier" /></span>],
      ]} />
      <Keeping detail={detail} />
      {detail.segments.map((s) => (
        <Master key={s.number} segment={s} arrivals={arrivals.filter((a) => a.segment === s.number)} one={detail.segments.length === 1} />
      ))}
    </div>
  );
}

/** A time as the force's clock showed it, and in UTC to the millisecond. */
function Moment({ at }: { at: string }) {
  if (!known(at)) return <>Not known</>;
  return <><time dateTime={at}>{full(at)}</time><span className={styles.utc}>{utc(at)}</span></>;
}

function Master({ segment: s, arrivals, one }: { segment: Segment; arrivals: Arrival[]; one: boolean }) {
  const m = s.media;
  const picture = [m.width && m.height && `${m.width} × ${m.height}`, m.frameRate && `${Number(m.frameRate.toFixed(3))} frames/s`].filter(Boolean).join(', ');
  return (
    <details className={styles.master} open={one || s.number === 1}>
      <summary><h2>{one ? 'Master' : `Master of segment ${s.number}`}</h2><span className="dim">{s.fileName}</span></summary>
      <div className={styles.hash}>
        <span className={styles.hashName}>SHA-256<Copy value={s.sha256} what="the SHA-256" /></span>
        <code className="mono">{s.sha256.match(/.{1,8}/g)?.join(' ')}</code>
      </div>
      <Facts rows={[
        ['File name', s.fileName],
        ['Length', `${count(s.length)} bytes`],
        ['Camera’s number', s.sequence ? String(s.sequence) : ''],
        ['Picture', picture],
        ['Format', [m.format, m.video, m.audio ?? (m.state === 'pending' ? '' : 'no sound')].filter(Boolean).join(', ')],
        ['Plain words', m.why ?? ''],
      ]} />
      <h3 className={styles.heading}>Three times</h3>
      <ol className={styles.times}>
        <li>
          <span className="dim">The camera’s clock said</span>
          {known(s.clock.deviceStarted) ? utc(s.clock.deviceStarted).replace(' UTC', '') : 'nothing'}
          <span className={styles.utc}>{[s.clock.zone, sources[s.clock.source] ?? s.clock.source].filter(Boolean).join(', ')}</span>
        </li>
        <li>
          <IconArrowDown size={14} aria-hidden />
          <span className="dim">Offset measured at the dock</span>
          {offsetWords(s.clock.offsetMs)}
        </li>
        <li>
          <span className="dim">Trusted time</span>
          <Moment at={s.clock.trusted} />
        </li>
      </ol>
      {arrivals.length > 0 && (
        <>
          <h3 className={styles.heading}>{arrivals.length === 1 ? 'Arrived' : `Arrived ${arrivals.length} times`}</h3>
          <ul className={styles.times}>
            {arrivals.map((a) => (
              <li key={a.id}>
                <span className="dim">Dock</span>{a.dock}
                {known(a.dockedAt) && <span className={styles.utc}>first touched {full(a.dockedAt)}</span>}
                <span className={styles.utc}>accepted here {full(a.at)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </details>
  );
}

/** Offset = camera's clock minus the dock's. */
export function offsetWords(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return 'was not measured';
  if (ms === 0) return 'none';
  return `camera ${lengthInWords(ms)} ${ms > 0 ? 'fast' : 'slow'}`;
}
