// Byte strings: the few operations that the checks need.

const text = new TextEncoder();

export const utf8 = (s: string): Uint8Array => text.encode(s);

export function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

export const equal = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Standard base64 (RFC 4648 section 4) in its one form; null for anything else. */
export function fromBase64(s: unknown): Uint8Array | null {
  if (typeof s !== 'string' || s.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(s)) return null;
  const bare = s.replace(/=+$/, '');
  const out = new Uint8Array(Math.floor((bare.length * 3) / 4));
  let acc = 0;
  let bits = 0;
  let n = 0;
  for (const c of bare) {
    acc = (acc << 6) | digits.indexOf(c);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[n++] = acc >> bits;
      acc &= (1 << bits) - 1;
    }
  }
  // Unused bits must be zero, or two texts would mean the same bytes.
  return acc === 0 && s.length - bare.length === (4 - (bare.length % 4)) % 4 ? out : null;
}

export function toBase64(b: Uint8Array): string {
  let out = '';
  for (let i = 0; i < b.length; i += 3) {
    const n = ((b[i] ?? 0) << 16) | ((b[i + 1] ?? 0) << 8) | (b[i + 2] ?? 0);
    const four = [18, 12, 6, 0].map((shift) => digits[(n >> shift) & 63]).join('');
    const left = b.length - i;
    out += left >= 3 ? four : four.slice(0, left + 1) + '='.repeat(3 - left);
  }
  return out;
}

export const toHex = (b: Uint8Array): string => Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('');
