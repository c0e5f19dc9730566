// What view.html holds, and the checks that concern a bundle beyond the
// history of one recording: docs/formats/bundle.md.
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex, utf8 } from '../src/bytes';
import { checkHistory, valueOf, type Check, type History, type Opening, type Report } from '../src/index';

export interface File_ {
  path: string;
  recording: string;
  segment: number;
  fileName: string;
  sha256: string;
  length: number;
  sealed: boolean;
}

export interface Recording {
  id: string;
  device: string;
  officer?: string;
  category?: string;
  startedAt: string;
  segments: { number: number; clock?: { trusted?: string; deviceStarted?: string; zone?: string; offsetMs?: number; source?: string }; media?: { type?: string; video?: string; audio?: string; width?: number; height?: number; durationMs?: number } }[] | null;
  gaps?: { after: number; lengthMs: number; missing?: number[] }[];
}

export interface Bag {
  metadata: {
    bundle: string;
    force: string;
    madeAt: string;
    madeBy: string;
    software: string;
    recipient: string;
    purpose: { code: string; reference?: string; note?: string };
    files: File_[] | null;
    recordings: Recording[] | null;
  };
  histories: History[];
  checkpoint: string;
  logKey: string;
}

export const filesOf = (bag: Bag, recording: string): File_[] => (bag.metadata.files ?? []).filter((f) => f.recording === recording);

export const is = (o: Opening, verb: string, phase: string): boolean => valueOf(o, 'verb') === verb && valueOf(o, 'phase') === phase;

/** The events that say that this segment came in. */
export const collections = (h: History, segment: number): Opening[] =>
  h.events.filter((e) => is(e, 'collect', 'outcome') && valueOf(e, 'segment') === String(segment));

/** Checks the history of every recording in the bag. */
export async function checkBag(bag: Bag, pinned: string | undefined): Promise<Map<string, Report>> {
  const out = new Map<string, Report>();
  for (const r of bag.metadata.recordings ?? []) {
    const histories = bag.histories.filter((h) => h.recording === r.id);
    const [h] = histories;
    const report = await checkHistory({ ...(h ?? { recording: r.id, itemKey: '', events: [] }), checkpoint: bag.checkpoint, logKey: bag.logKey }, pinned);
    if (h && histories.length === 1) report.checks.push(complete(bag, h), ...described(bag, h, r));
    else report.checks.push({ name: 'complete', subject: r.id, state: 'failed', says: 'The recording has no history, or more than one.' });
    if (report.checks.some((c) => c.state === 'failed')) report.state = 'failed';
    out.set(r.id, report);
  }
  return out;
}

/** In a bundle the last event is the disclosure of this bundle, and no event waits for its place in the log. */
function complete(bag: Bag, h: History): Check {
  const last = h.events.at(-1);
  const failed = (says: string): Check => ({ name: 'complete', subject: h.recording, state: 'failed', says });
  if (h.events.some((e) => e.index < 0)) return failed('An event of this bundle has no place in the log.');
  if (!last || !is(last, 'disclose', 'intent') || valueOf(last, 'bundle') !== bag.metadata.bundle) {
    return failed('The history does not end with the disclosure of this bundle: what came last was left out.');
  }
  const masters = filesOf(bag, h.recording)
    .sort((a, b) => a.segment - b.segment)
    .map((f) => `${f.segment} ${f.sha256} ${f.length}\n`);
  if (valueOf(last, 'masters_sha256') !== toHex(sha256(utf8(masters.join(''))))) {
    return failed('The disclosure was recorded for other masters than those in the bundle: one was left out, added or changed.');
  }
  return { name: 'complete', subject: h.recording, state: 'proven', says: 'The last event is the disclosure of this very bundle with these masters: nothing before it was left out.' };
}

/** What the bundle says of its files, held against what was recorded when they came in. */
function described(bag: Bag, h: History, r: Recording): Check[] {
  return filesOf(bag, h.recording).flatMap((f): Check[] => {
    const came = collections(h, f.segment);
    const failed = (says: string): Check[] => [{ name: 'masters', subject: f.path, state: 'failed', says }];
    const agrees = (name: string, value: string) => came.every((e) => valueOf(e, name) === undefined) || came.some((e) => valueOf(e, name) === value);
    if (!came.length) return failed('The history does not say that this file was ever collected.');
    if (!came.every((e) => valueOf(e, 'sha256') === f.sha256 && valueOf(e, 'length') === String(f.length))) return failed('Other bytes were collected from the camera than the bundle says.');
    if (!agrees('file_name', f.fileName)) return failed('The file had another name on the camera than the bundle says.');
    if (!agrees('device', r.device)) return failed('The file was collected from another camera than the bundle says.');
    return [];
  });
}
