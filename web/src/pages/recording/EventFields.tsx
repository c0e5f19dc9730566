import { sha256 } from '@noble/hashes/sha2.js';
import type { Opening } from '../../api/types';
import { Copy } from '../../parts/Copy';
import { Facts } from '../../parts/Facts';
import { fieldName } from '../../words/events';
import styles from './Custody.module.css';

/** Hash of a leaf as it stands in the tree: SHA-256 of 0x00 and the leaf (RFC 6962, 2.1), in hexadecimal. */
export function leafHash(leaf: string): string {
  const bytes = Uint8Array.from(atob(leaf), (c) => c.charCodeAt(0));
  const hash = sha256(Uint8Array.of(0, ...bytes));
  return Array.from(hash, (b) => b.toString(16).padStart(2, '0')).join('');
}

/** All fields of an event as they were recorded, and its place in the log. */
export function EventFields({ opening }: { opening: Opening }) {
  const hash = leafHash(opening.leaf);
  return (
    <div className={styles.fields}>
      <Facts rows={[
        ...opening.fields.map((f): [string, React.ReactNode] => [fieldName(f.name), 'value' in f ? f.value : <em key={f.name}>withheld</em>]),
        ['Place in the log', opening.index < 0 ? 'not in the log yet' : `leaf ${opening.index}`],
        ['Leaf hash', <span key="h"><span className="mono">{hash}</span><Copy value={hash} what="the leaf hash" /></span>],
      ]} />
    </div>
  );
}
