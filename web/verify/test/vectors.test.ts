// The vectors that the server's own log package writes and is tested on.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64 } from '../src/bytes';
import { checkEvent, checkHistory, type History, type Opening } from '../src/index';
import { checkChain, commitment, itemTag, leafHash, type Fault } from '../src/ledger';
import { isIncluded, isSignedBy, parseCheckpoint, parseKey } from '../src/log';

interface Vectors {
  origin: string;
  vkey: string;
  item: string;
  itemKey: string;
  itemTag: string;
  commitment: { fields: { name: string; value: string }[]; salts: string[]; macs: string[]; commitment: string };
  leaves: string[];
  checkpoint: string;
  cases: { name: string; expect: Fault | ''; openings: Opening[]; proofs: string[] }[];
}

const v = JSON.parse(readFileSync(new URL('../../../tlog/testdata/vectors.json', import.meta.url), 'utf8')) as Vectors;
const bytes = (s: string) => {
  const b = fromBase64(s);
  if (!b) throw new Error(`${s} is not base64`);
  return b;
};

/** C2SP tlog-proof, as the vectors carry their proofs. */
function parseProof(text: string) {
  const at = text.indexOf('\n\n');
  const [first, index, ...path] = text.slice(0, at).split('\n').filter((l) => !l.startsWith('extra '));
  expect(first).toBe('c2sp.org/tlog-proof@v1');
  return { index: Number(index?.replace('index ', '')), path: path.map(bytes), checkpoint: text.slice(at + 2) };
}

function complaint(c: Vectors['cases'][number]): Fault | '' {
  const chain = checkChain(itemTag(bytes(v.itemKey), v.item), c.openings);
  if (chain) return chain.fault;
  const key = parseKey(v.vkey);
  for (const [i, text] of c.proofs.entries()) {
    const p = parseProof(text);
    const o = c.openings[i];
    const head = parseCheckpoint(p.checkpoint);
    if (!key || !head || !isSignedBy(p.checkpoint, key) || head.origin !== v.origin) return 'checkpoint';
    if (!o || o.index !== p.index || !isIncluded(head, p.index, leafHash(bytes(o.leaf)), p.path)) return 'proof';
  }
  return '';
}

/** The case as a history with one checkpoint, as far as it can be put so. */
function history(c: Vectors['cases'][number]): History {
  const proofs = c.proofs.map(parseProof);
  return {
    recording: v.item,
    itemKey: v.itemKey,
    events: c.openings,
    proofs: Object.fromEntries(proofs.map((p) => [p.index, p.path.map(toBase64)])),
    checkpoint: proofs[0]?.checkpoint,
    logKey: v.vkey,
  };
}

describe('vectors', () => {
  it('are there', () => expect(v.cases.length).toBeGreaterThan(20));
  it('item tag', () => expect(toBase64(itemTag(bytes(v.itemKey), v.item))).toBe(v.itemTag));
  it('commitment, opened', () => {
    const fields = v.commitment.fields.map((f, i) => ({ ...f, salt: v.commitment.salts[i] }));
    expect(toBase64(commitment(fields) ?? new Uint8Array())).toBe(v.commitment.commitment);
  });
  it('commitment, withheld', () => {
    const fields = v.commitment.fields.map((f, i) => ({ name: f.name, mac: v.commitment.macs[i] }));
    expect(toBase64(commitment(fields) ?? new Uint8Array())).toBe(v.commitment.commitment);
  });
  for (const c of v.cases) {
    it(`${c.expect || 'good'}: ${c.name}`, () => expect(complaint(c)).toBe(c.expect));
  }
});

describe('checkEvent', () => {
  const good = (i: number) => {
    const h = history(v.cases[0]!);
    const opening = structuredClone(h.events[i]!);
    return { opening, proof: h.proofs![String(opening.index)]!.slice(), checkpoint: h.checkpoint!, logKey: h.logKey! };
  };
  const states = (e: ReturnType<typeof good>, key?: string) => Object.fromEntries(checkEvent(e, key).map((c) => [c.name, c.state]));
  it('proves one event out of the middle of a history', () => {
    for (const i of [0, 2, 4]) expect(states(good(i), v.vkey)).toEqual({ key: 'proven', checkpoint: 'proven', openings: 'proven', inclusion: 'proven' });
  });
  it('does not call it proven without a key', () => expect(states(good(1)).key).toBe('not_proven'));
  it('names what was changed', () => {
    const value = good(1);
    value.opening.fields[0]!.value = 'x';
    expect(states(value, v.vkey).openings).toBe('failed');
    const place = good(1);
    place.opening.index++;
    expect(states(place, v.vkey).inclusion).toBe('failed');
    const signature = good(1);
    signature.checkpoint = signature.checkpoint.replace(/\d+\n/, '999\n');
    expect(states(signature, v.vkey).checkpoint).toBe('failed');
  });
  it('waits for one that is not in the log yet', () => {
    const e = good(4);
    e.opening.index = -1;
    expect(states({ ...e, proof: [] }, v.vkey)).toMatchObject({ openings: 'proven', inclusion: 'not_proven' });
  });
  it('survives what is no event', () => expect(checkEvent({} as never)[0]?.state).toBe('failed'));
});

describe('checkHistory', () => {
  const good = () => structuredClone(history(v.cases[0]!));
  it('proves a good history under a pinned key', async () => {
    const r = await checkHistory(good(), v.vkey);
    expect(r.checks.filter((c) => c.state !== 'proven').map((c) => c.name)).toEqual(['witness']);
    expect(r.cosigners).toEqual([]);
    expect(r.state).toBe('proven');
    expect(r.events.every((e) => e.state === 'proven')).toBe(true);
    expect(r.fingerprint).toMatch(/^([0-9a-f]{4} ){15}[0-9a-f]{4}$/);
  });
  it('takes signatures of witnesses and says that it did not judge them', async () => {
    const h = good();
    // Ed25519 and ML-DSA-44 lines differ in length only; neither is looked at.
    h.checkpoint += `— witness.example/ed ${btoa('x'.repeat(76))}\n— witness.example/ml ${btoa('x'.repeat(2432))}\n`;
    const r = await checkHistory(h, v.vkey);
    expect(r.state).toBe('proven');
    expect(r.cosigners).toEqual(['witness.example/ed', 'witness.example/ml']);
    expect(r.checks.find((c) => c.name === 'witness')).toMatchObject({ state: 'not_proven', says: expect.stringContaining('Cosigned by witness.example/ed, witness.example/ml, not judged here') as string });
  });
  it('does not call it proven without one', async () => expect((await checkHistory(good())).state).toBe('not_proven'));
  it('names another pinned key', async () => {
    const r = await checkHistory(good(), v.vkey.replace('custos', 'other'));
    expect(r.checks.filter((c) => c.state === 'failed').map((c) => c.name)).toEqual(['key', 'checkpoint']);
  });
  for (const c of v.cases.filter((c) => c.expect && c.expect !== 'checkpoint' && !c.name.includes('claims no place'))) {
    it(`names ${c.expect}: ${c.name}`, async () => expect((await checkHistory(history(c), v.vkey)).state).toBe('failed'));
  }
  it('names each altered event', async () => {
    const h = good();
    for (const i of [1, 3]) h.events[i]!.fields[0]!.value = 'x';
    const r = await checkHistory(h, v.vkey);
    expect(r.events.map((e) => e.state)).toEqual(['proven', 'failed', 'proven', 'failed', 'proven']);
    expect(r.checks.filter((c) => c.name === 'openings').map((c) => c.subject)).toEqual(['event 2', 'event 4']);
  });
  it('waits for events that are not in the log yet', async () => {
    const h = good();
    h.events[4]!.index = -1;
    const r = await checkHistory(h, v.vkey);
    expect(r.state).toBe('proven');
    expect(r.events[4]!.state).toBe('not_proven');
    expect(r.checks.find((c) => c.name === 'inclusion')?.state).toBe('not_proven');
  });
  it('lets only the newest events wait', async () => {
    const h = good();
    h.events[2]!.index = -1;
    const r = await checkHistory(h, v.vkey);
    expect(r.events.map((e) => e.state)).toEqual(['proven', 'proven', 'failed', 'proven', 'proven']);
  });
  it('notices a signature that differs in one bit, anywhere', async () => {
    const note = v.checkpoint;
    const at = note.lastIndexOf(' ') + 1;
    for (let i = 0; i < note.length - 1; i++) {
      if (i < at && i > note.indexOf('\n\n') + 2) continue; // the name of the signer
      const h = good();
      const other = note[i] === 'A' ? 'B' : 'A';
      h.checkpoint = note.slice(0, i) + other + note.slice(i + 1);
      expect((await checkHistory(h, v.vkey)).state, `character ${i}`).toBe('failed');
    }
  });
  it('survives what is no history', async () => {
    for (const bad of [null, {}, { events: [null] }, { events: [{ fields: [null] }] }, { events: 'x' }]) {
      expect((await checkHistory(bad as unknown as History)).state).toBe('failed');
    }
  });
});
