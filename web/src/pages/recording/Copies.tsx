import { IconSparkles } from '@tabler/icons-react';
import type { Detail } from '../../api/types';
import { Badge, type Tone } from '../../parts/badges';
import { Copy } from '../../parts/Copy';
import { Facts } from '../../parts/Facts';
import { bytes, full } from '../../words/time';
import details from './Details.module.css';
import styles from './Copies.module.css';

const kinds: Record<string, string> = { poster: 'Still picture', trickplay: 'Preview pictures', waveform: 'Sound curve', proxy: 'Viewing copy', prepare: 'Preparation' };
const states: Record<string, [Tone, string]> = { waiting: ['plain', 'Waiting'], running: ['accent', 'Being made'], failed: ['bad', 'Failed'], done: ['good', 'Done'] };

/** What was generated from the masters, kept apart from what was captured (R19). */
export function Copies({ detail }: { detail: Detail }) {
  const copies = detail.copies ?? [];
  const work = (detail.work ?? []).filter((w) => w.state !== 'done');
  const of = (segment: number) => (detail.segments.length > 1 ? `, segment ${segment}` : '');
  return (
    <div className={details.details}>
      <p className={styles.about}><IconSparkles size={15} aria-hidden /> Generated from the master for viewing. Not evidence in itself: the master is never altered.</p>
      {work.map((w) => {
        const [tone, words] = states[w.state] ?? ['plain', w.state];
        return (
          <div key={w.id} className={styles.copy}>
            <h2>{kinds[w.kind] ?? w.kind} <Badge tone={tone}>{words}</Badge></h2>
            {w.message && <p className="dim">{w.message}{w.tries > 1 && ` (tried ${w.tries} times)`}</p>}
          </div>
        );
      })}
      {copies.map((c) => (
        <div key={`${c.kind}${c.segment}${c.sha256}`} className={styles.copy}>
          <h2>{kinds[c.kind] ?? c.kind}{of(c.segment)} <Badge tone="accent" icon={IconSparkles}>Generated</Badge></h2>
          <Facts rows={[
            ['Made with', c.tool],
            ['Made', full(c.madeAt)],
            ['Kind of file', `${c.type}, ${bytes(c.length)}`],
            ['Particulars', c.info ?? ''],
            ['SHA-256', <span key="h" className={details.long}><span className="mono">{c.sha256.slice(0, 16)} …</span><Copy value={c.sha256} what="the SHA-256" /></span>],
          ]} />
        </div>
      ))}
      {copies.length === 0 && work.length === 0 && <p className="dim">There are none.</p>}
    </div>
  );
}
