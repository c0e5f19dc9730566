import { expect, it } from 'vitest';
import { toBytes, toText } from './passkeys';

it('bytes come back from their text, whatever their length', () => {
  for (let n = 0; n < 70; n++) {
    const b = Uint8Array.from({ length: n }, (_, i) => (i * 37 + n) % 256);
    expect(toText(b.buffer)).not.toMatch(/[+/=]/);
    expect(toBytes(toText(b.buffer))).toEqual(b);
  }
});
