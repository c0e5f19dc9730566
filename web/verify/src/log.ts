// Signed notes, checkpoints and inclusion proofs: C2SP signed-note and
// tlog-checkpoint, RFC 9162 section 2.1.3.2 (the same tree as RFC 6962).
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, equal, fromBase64, toHex, utf8 } from './bytes';

export interface Key {
  name: string;
  /** four bytes that a signature line begins with */
  id: Uint8Array;
  publicKey: Uint8Array;
}

/** Reads a note verifier key: name+hash+base64. Ed25519 only. */
export function parseKey(line: string): Key | null {
  const m = /^([^\s+]+)\+([0-9a-fA-F]{8})\+(.+)$/u.exec(line);
  const raw = fromBase64(m?.[3]);
  if (!m?.[1] || !m[2] || raw?.length !== 33 || raw[0] !== 1) return null;
  const id = sha256(concat(utf8(`${m[1]}\n`), raw)).slice(0, 4);
  return toHex(id) === m[2].toLowerCase() ? { name: m[1], id, publicKey: raw.slice(1) } : null;
}

/** How people compare a key: SHA-256 of the line, in groups of four digits. */
export const fingerprint = (line: string): string =>
  toHex(sha256(utf8(line))).replace(/(.{4})(?=.)/g, '$1 ');

export interface Checkpoint {
  origin: string;
  size: number;
  root: Uint8Array;
}

/** Reads a checkpoint without asking who signed it. */
export function parseCheckpoint(note: string): Checkpoint | null {
  const [text, signatures] = split(note);
  const lines = text.split('\n');
  const root = fromBase64(lines[2]);
  const size = Number(lines[1]);
  if (!signatures || lines.length !== 4 || !lines[0] || lines[3] !== '' || root?.length !== 32) return null;
  if (!/^(0|[1-9][0-9]*)$/.test(lines[1] ?? '') || !Number.isSafeInteger(size)) return null;
  return { origin: lines[0], size, root };
}

/** Text with its last line break, and the signature lines. */
function split(note: string): [string, string] {
  const at = note.lastIndexOf('\n\n');
  return at < 0 ? [note, ''] : [note.slice(0, at + 1), note.slice(at + 2)];
}

/** Whether the note carries a good signature by the key. Other signatures are not looked at. */
export function isSignedBy(note: string, key: Key): boolean {
  const [text, signatures] = split(note);
  if (!signatures.endsWith('\n')) return false;
  for (const line of signatures.slice(0, -1).split('\n')) {
    const m = /^— (\S+) (\S+)$/u.exec(line);
    const b = fromBase64(m?.[2]);
    if (m?.[1] !== key.name || b?.length !== 68 || !equal(b.slice(0, 4), key.id)) continue;
    // Never the laxer rules of ZIP 215: the server's library would not agree.
    return ed25519.verify(b.slice(4), utf8(text), key.publicKey, { zip215: false });
  }
  return false;
}

/** Who has signed the note beside key, unchecked: witnesses of the log, or so they say. */
export function cosigners(note: string, key: Key | null): string[] {
  const names = split(note)[1].split('\n').map((line) => /^— (\S+) \S+$/u.exec(line)?.[1] ?? '');
  return [...new Set(names)].filter((name) => name && name !== key?.name);
}

const node = (left: Uint8Array, right: Uint8Array): Uint8Array => sha256(concat(Uint8Array.of(1), left, right));

/** Whether the tree has the leaf at index, given the path from the leaf's sibling up. */
export function isIncluded(c: Checkpoint, index: number, leaf: Uint8Array, path: Uint8Array[]): boolean {
  if (!Number.isSafeInteger(index) || index < 0 || index >= c.size) return false;
  // Sizes pass 2^32, so no bit operators here.
  let fn = index;
  let sn = c.size - 1;
  let hash = leaf;
  const half = () => {
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  };
  for (const sibling of path) {
    if (sn === 0 || sibling.length !== 32) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = node(sibling, hash);
      while (fn % 2 === 0 && fn !== 0) half();
    } else {
      hash = node(hash, sibling);
    }
    half();
  }
  return sn === 0 && equal(hash, c.root);
}
