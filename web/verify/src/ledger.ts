// Leaves, openings and histories: docs/formats/ledger.md. Written from that
// document, apart from the server's code, so that one can catch the other out.
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, equal, fromBase64, utf8 } from './bytes';

/** A field is opened (value and salt) or withheld (mac). */
export interface OpenField {
  name: string;
  value?: string | undefined;
  salt?: string | undefined;
  mac?: string | undefined;
}

export interface Opening {
  /** place in the log from 0; -1 = not in the log yet */
  index: number;
  /** base64 of 105 bytes */
  leaf: string;
  fields: OpenField[];
}

export type Fault = 'dropped' | 'reordered' | 'foreign' | 'altered' | 'doubled' | 'proof' | 'checkpoint';

export interface Leaf {
  tag: Uint8Array;
  /** from 1 */
  seq: number;
  prev: Uint8Array;
  commitment: Uint8Array;
}

const maxFields = 255;
const maxValue = 65535;
const fieldName = /^[a-z][a-z0-9_]{0,63}$/;

export function parseLeaf(b: Uint8Array | null): Leaf | null {
  if (!b || b.length !== 105 || b[0] !== 1) return null;
  const seq = new DataView(b.buffer, b.byteOffset).getBigUint64(33);
  const prev = b.slice(41, 73);
  const isFirst = prev.every((x) => x === 0);
  if (seq === 0n || seq > BigInt(Number.MAX_SAFE_INTEGER) || (seq === 1n) !== isFirst) return null;
  return { tag: b.slice(1, 33), seq: Number(seq), prev, commitment: b.slice(73) };
}

/** RFC 6962, 2.1 */
export const leafHash = (leaf: Uint8Array): Uint8Array => sha256(concat(Uint8Array.of(0), leaf));

export const itemTag = (itemKey: Uint8Array, item: string): Uint8Array =>
  hmac(sha256, itemKey, utf8(`custos ledger v1 item\0${item}`));

function u32(n: number): Uint8Array {
  const b = new Uint8Array(4);
  new DataView(b.buffer).setUint32(0, n);
  return b;
}

/** The MAC of a field, computed or as given; null where it is neither opened nor withheld. */
function fieldMac(f: OpenField): Uint8Array | null {
  const salt = fromBase64(f.salt);
  const mac = fromBase64(f.mac);
  if (typeof f.value === 'string' && salt?.length === 32 && f.mac === undefined) {
    const value = utf8(f.value);
    // A lone surrogate has no UTF-8: it would be hashed as something else.
    if (value.length > maxValue || /\p{Surrogate}/u.test(f.value)) return null;
    return hmac(sha256, salt, concat(utf8(`${f.name}\0`), value));
  }
  return f.value === undefined && f.salt === undefined && mac?.length === 32 ? mac : null;
}

/** The commitment to what is shown; null where it is no event. */
export function commitment(fields: OpenField[]): Uint8Array | null {
  if (!Array.isArray(fields) || fields.length > maxFields) return null;
  const names = new Set<string>();
  const parts = [utf8('custos ledger v1 commitment\0'), u32(fields.length)];
  for (const f of fields) {
    const mac = fieldMac(f);
    if (!mac || !fieldName.test(f.name) || names.has(f.name)) return null;
    names.add(f.name);
    parts.push(Uint8Array.of(f.name.length), utf8(f.name), mac);
  }
  return sha256(concat(...parts));
}

/** Whether what is shown is what the leaf commits to. */
export function isAsRecorded(o: Opening): boolean {
  const leaf = parseLeaf(fromBase64(o.leaf));
  const sum = commitment(o.fields);
  return !!leaf && !!sum && equal(sum, leaf.commitment);
}

/** The opened value of a field; undefined where it is withheld or absent. */
export const valueOf = (o: Opening, name: string): string | undefined =>
  o.fields.find((f) => f.name === name && f.value !== undefined)?.value;

export interface ChainFault {
  fault: Fault;
  /** in the list, from 0 */
  place: number;
  says: string;
}

/** Checks that the list is the item's history from its first event on. Gives the first fault, null for none. */
export function checkChain(tag: Uint8Array, chain: Opening[]): ChainFault | null {
  const bytes = chain.map((o) => fromBase64(o.leaf));
  const leaves = bytes.map(parseLeaf);
  const later = (from: number, seq: number) => leaves.some((l, i) => i > from && l?.seq === seq);
  const seen = new Set<number>();
  let prev = new Uint8Array(32);
  let index = -1;
  for (const [i, o] of chain.entries()) {
    const is = (fault: Fault, says: string): ChainFault => ({ fault, place: i, says });
    const leaf = leaves[i];
    const raw = bytes[i];
    const want = i + 1;
    if (!leaf || !raw || !isAsRecorded(o)) return is('altered', `Event ${want} was altered: what is shown is not what was recorded.`);
    if (!equal(leaf.tag, tag)) return is('foreign', `Entry ${want} belongs to the history of something else.`);
    if (leaf.seq !== want) {
      if (seen.has(leaf.seq)) return is('doubled', `Event ${leaf.seq} stands twice in the history.`);
      if (later(i, want)) return is('reordered', `Event ${leaf.seq} stands before event ${want}.`);
      return is('dropped', `Event ${want} is missing from the history.`);
    }
    if (!equal(leaf.prev, prev)) return is('altered', `Event ${want} does not follow the event before it: one of them was altered.`);
    if (o.index >= 0) {
      if (o.index <= index) return is('reordered', `Event ${want} is said to stand in the log before an earlier event.`);
      index = o.index;
    }
    seen.add(leaf.seq);
    prev = leafHash(raw) as Uint8Array<ArrayBuffer>;
  }
  return null;
}
