import { expect, it } from 'vitest';
import { fromBase64, toBase64, toHex } from '../src/bytes';
import { isIncluded, parseCheckpoint, parseKey } from '../src/log';

it('base64 has one form', () => {
  for (let n = 0; n < 70; n++) {
    const b = Uint8Array.from({ length: n }, (_, i) => (i * 37 + n) & 255);
    const s = Buffer.from(b).toString('base64');
    expect(toBase64(b)).toBe(s);
    expect(toHex(fromBase64(s) ?? new Uint8Array([0]))).toBe(Buffer.from(b).toString('hex'));
  }
  for (const bad of ['A', 'AA', 'AAA', 'AB==', 'AAB=', 'A===', '====', 'AA==AA==', 'AA A', 'AA-_', 'AA==\n', undefined, 7]) {
    expect(fromBase64(bad), String(bad)).toBeNull();
  }
});

it('keys and checkpoints are read strictly', () => {
  const key = 'custos.example/vectors+5a4242c6+AXiNgM1GS+YpGxsTUqkAIOwB9WrkpVRHOReqWfAvy4cy';
  expect(parseKey(key)?.name).toBe('custos.example/vectors');
  for (const bad of ['', 'x', key.replace('5a', '5b'), key.replace('+AX', '+BX'), key + 'A', key.replace('custos', 'cus tos')]) {
    expect(parseKey(bad), bad).toBeNull();
  }
  const root = toBase64(new Uint8Array(32));
  expect(parseCheckpoint(`o\n5\n${root}\n\n— o AAAA\n`)?.size).toBe(5);
  for (const bad of ['', `o\n05\n${root}\n\n— o A\n`, `o\n-5\n${root}\n\n— o A\n`, `\n5\n${root}\n\n— o A\n`, `o\n9007199254740992\n${root}\n\n— o A\n`, `o\n5\n${root}\nmore\n\n— o A\n`, `o\n5\nAAAA\n\n— o A\n`, `o\n5\n${root}\n`]) {
    expect(parseCheckpoint(bad), bad).toBeNull();
  }
});

it('indexes outside the tree are in no tree', () => {
  const c = { origin: 'o', size: 3, root: new Uint8Array(32) };
  for (const index of [-1, 3, 0.5, NaN, 2 ** 53]) expect(isIncluded(c, index, c.root, [])).toBe(false);
});
