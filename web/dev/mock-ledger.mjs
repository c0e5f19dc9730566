// A small, real ledger for the mock server: leaves, commitments, tree, signed
// checkpoint, as docs/formats/ledger.md says, so that the browser's own check
// has something true to check.
import { createHash, createHmac, createPrivateKey, createPublicKey, hkdfSync, sign } from 'node:crypto';

const H = (...parts) => createHash('sha256').update(Buffer.concat(parts.map((p) => (typeof p === 'string' ? Buffer.from(p) : p)))).digest();
const hmac = (key, ...parts) => createHmac('sha256', key).update(Buffer.concat(parts.map((p) => (typeof p === 'string' ? Buffer.from(p) : p)))).digest();
const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32BE(n); return b; };
const u64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64BE(BigInt(n)); return b; };
const zero = Buffer.of(0);
const derived = (label) => Buffer.from(hkdfSync('sha256', 'mock', '', label, 32));

const origin = 'mock.custos.invalid/log';
const seed = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), derived('log key')]);
const key = createPrivateKey({ key: seed, format: 'der', type: 'pkcs8' });
const pub = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
const keyHash = H(`${origin}\n`, Buffer.of(1), pub).subarray(0, 4);
export const logKey = `${origin}+${keyHash.toString('hex')}+${Buffer.concat([Buffer.of(1), pub]).toString('base64')}`;

const leafHash = (leaf) => H(zero, leaf);
const split = (n) => { let k = 1; while (k * 2 < n) k *= 2; return k; };
function root(hashes) {
  if (hashes.length === 1) return hashes[0];
  const k = split(hashes.length);
  return H(Buffer.of(1), root(hashes.slice(0, k)), root(hashes.slice(k)));
}
function path(i, hashes) {
  if (hashes.length === 1) return [];
  const k = split(hashes.length);
  return i < k ? [...path(i, hashes.slice(0, k)), root(hashes.slice(k))] : [...path(i - k, hashes.slice(k)), root(hashes.slice(0, k))];
}

/** The history of one recording, from lists of [name, value]. The last `pending` events are not in the log yet. */
export function history(recording, events, pending = 0) {
  const itemKey = derived('item ' + recording);
  const tag = hmac(itemKey, 'custos ledger v1 item', zero, recording);
  let prev = Buffer.alloc(32);
  const openings = [];
  const hashes = [];
  events.forEach((fields, n) => {
    const eventKey = derived(`event ${recording} ${n}`);
    const parts = [Buffer.from('custos ledger v1 commitment'), zero, u32(fields.length)];
    const opened = fields.map(([name, value, withheld], i) => {
      const salt = hmac(eventKey, 'custos ledger v1 salt', zero, u32(i), name);
      const mac = hmac(salt, name, zero, value);
      parts.push(Buffer.of(name.length), Buffer.from(name), mac);
      return withheld ? { name, mac: mac.toString('base64') } : { name, value, salt: salt.toString('base64') };
    });
    const leaf = Buffer.concat([Buffer.of(1), tag, u64(n + 1), prev, H(...parts)]);
    prev = leafHash(leaf);
    const inLog = n < events.length - pending;
    if (inLog) {
      for (let other = 0; other < n % 4; other++) hashes.push(leafHash(derived(`other ${recording} ${n} ${other}`)));
      hashes.push(prev);
    }
    openings.push({ index: inLog ? hashes.length - 1 : -1, leaf: leaf.toString('base64'), fields: opened });
  });
  const text = `${origin}\n${hashes.length}\n${root(hashes).toString('base64')}\n`;
  const signature = Buffer.concat([keyHash, sign(null, Buffer.from(text), key)]).toString('base64');
  const proofs = Object.fromEntries(openings.filter((o) => o.index >= 0).map((o) => [o.index, path(o.index, hashes).map((h) => h.toString('base64'))]));
  return { recording, itemKey: itemKey.toString('base64'), events: openings, proofs, checkpoint: `${text}\n\u2014 ${origin} ${signature}\n`, logKey, pending, witnessed: false };
}
