import { describe, expect, it } from 'vitest';
import type { Opening } from '../api/types';
import { fieldName, fold, tell } from './events';

const event = (fields: Record<string, string>): Opening => ({ index: 1, leaf: '', fields: Object.entries(fields).map(([name, value]) => ({ name, value, salt: '' })) });

describe('events in plain words', () => {
  it.each([
    [{ verb: 'consult', phase: 'intent', purpose: 'case', reference: '42AB/1/26', actor_kind: 'person', actor_name: 'Insp. R. Patel', actor_number: '7731' },
      'Opened to watch', 'Insp. R. Patel 7731', 'Case preparation, 42AB/1/26'],
    [{ verb: 'consult', phase: 'intent', purpose: 'gone', reference: '7', hold_requested: 'h1', actor_kind: 'person', actor_name: 'P' }, 'Opened to watch', 'P', 'gone, 7 · a hold was requested'],
    [{ verb: 'combine', phase: 'outcome', what: 'put into case', case_number: 'AP/1/26', actor_kind: 'person', actor_name: 'P' }, 'Put into AP/1/26', 'P', ''],
    [{ verb: 'combine', phase: 'outcome', what: 'taken out of case', case_number: 'AP/1/26', note: 'wrong one', actor_kind: 'person', actor_name: 'P' }, 'Taken out of AP/1/26', 'P', 'wrong one'],
    [{ verb: 'restrict', phase: 'outcome', class: 'restricted', listed: 'a, b until 2026-12-01T00:00:00Z', note: 'Complaint', actor_kind: 'person', actor_name: 'P' },
      'Kept as restricted', 'P', 'Complaint · 2 names on its access list'],
    [{ verb: 'assign', phase: 'outcome', owner: 'x', owned_by: 'number', actor_kind: 'system' }, 'Found its owner by the collar number', 'Custos itself', ''],
    [{ verb: 'assign', phase: 'outcome', owner_before: 'x', note: 'a loan', actor_kind: 'person', actor_name: 'P' }, 'Made nobody’s', 'P', 'a loan'],
    [{ verb: 'consult', phase: 'outcome', ended: 'closed', open_ms: '65000', watched_ms: '61000', bytes: '8000000', actor_kind: 'person', actor_name: 'P' },
      'Stopped watching', 'P', 'watched for 1 minute 1 second · open for 1 minute 5 seconds · 8.0 MB sent'],
    [{ verb: 'collect', phase: 'outcome', segment: '2', device: 'AX-1', file_name: 'a.mp4', length: '2000', store: 'main', actor_kind: 'dock', actor_name: 'HQ-3' },
      'Collected segment 2 from camera AX-1', 'Dock HQ-3', 'a.mp4 · 2.0 kB · read back from main'],
    [{ verb: 'derive', phase: 'outcome', segment: '1', poster_sha256: 'x', waveform_sha256: 'y', found: 'playable', actor_kind: 'system' },
      'Made a still picture, a sound curve', 'Custos itself', 'from segment 1 · found: plays as it is · the master was not changed'],
    [{ verb: 'consult', phase: 'refused', reason: 'No case.', actor_kind: 'person', actor_name: 'Q' }, 'Was refused to watch', 'Q', 'No case.'],
    [{ verb: 'audit', phase: 'intent', what: 'search', sought_verbs: 'consult disclose', sought_case: 'OP/17', sought_from: '2026-03-01T00:00:00.000000Z', actor_kind: 'person', actor_name: 'J. Ortiz' },
      'Searched the trail', 'J. Ortiz', 'verbs viewing, disclosure, case OP/17, from 1 Mar 2026, 00:00'],
    [{ verb: 'audit', phase: 'outcome', what: 'export', format: 'csv', events: '12', sought_person: 'p1', actor_kind: 'person', actor_name: 'J. Ortiz' },
      'Gave out the trail as CSV', 'J. Ortiz', 'person p1 · 12 events'],
    [{ verb: 'audit', phase: 'refused', what: 'search', reason: 'No.', actor_kind: 'person', actor_name: 'PC A' }, 'Was refused to read the trail', 'PC A', 'No.'],
    [{ verb: 'frobnicate', phase: 'outcome', actor_kind: 'person' }, 'Event “frobnicate”', 'Somebody whose name is withheld', ''],
  ])('%o', (fields, what, who, more) => expect(tell(event(fields), (code) => (code === 'case' ? 'Case preparation' : code))).toMatchObject({ what, who, more }));
});

it('folds runs of looks at a list, and nothing else', () => {
  const list = { verb: 'consult', phase: 'intent', what: 'poster in a list' };
  const told = [list, list, { verb: 'consult', phase: 'intent' }, list, { ...list, phase: 'refused' }, list, list, list]
    .map((f) => ({ opening: event(f), told: tell(event(f)) }));
  expect(fold(told).map((e) => (e.fold ? e.events.length : 'one'))).toEqual([2, 'one', 'one', 'one', 3]);
});

it('names fields as people would', () => {
  expect(fieldName('actor_number')).toBe('Collar number');
  expect(fieldName('proxy_sha256')).toBe('Proxy SHA-256');
  expect(fieldName('watched_ms')).toBe('Watched (ms)');
});
