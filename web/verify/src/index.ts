// @custos/verify checks the custody history of a recording in the browser: a
// second implementation, apart from the server's, of docs/formats/ledger.md.
// It needs no network, no WebCrypto and no secure origin, so it works from a
// file as well.
import { fromBase64, toBase64 } from './bytes';
import { checkChain, isAsRecorded, itemTag, leafHash, type Opening } from './ledger';
import { cosigners, fingerprint, isIncluded, isSignedBy, parseCheckpoint, parseKey, type Checkpoint } from './log';

export { fingerprint } from './log';
export { valueOf, type OpenField, type Opening } from './ledger';

/** As the server gives it at /api/recordings/{id}/history. */
export interface History {
  recording: string;
  itemKey: string;
  events: Opening[];
  /** index → RFC 6962 inclusion path, base64, from the leaf's sibling up */
  proofs?: Record<string, string[] | null> | null | undefined;
  checkpoint?: string | undefined;
  logKey?: string | undefined;
  pending?: number | undefined;
  witnessed?: boolean | undefined;
}

export type State = 'proven' | 'failed' | 'not_proven';

/** One thing that was looked at; the names are those of docs/formats/bundle.md. */
export interface Check {
  name: 'openings' | 'chain' | 'inclusion' | 'checkpoint' | 'key' | 'witness' | 'complete' | 'masters';
  subject: string;
  state: State;
  says: string;
}

/** What was found of one event. */
export interface EventReport {
  /** place in the history, from 0 */
  place: number;
  /** place in the log, -1 = not in it yet */
  index: number;
  state: State;
  says: string;
}

export interface Report {
  recording: string;
  /** failed if any check failed; proven if none did and the log key is pinned; else not_proven */
  state: State;
  checks: Check[];
  /** one for each event, in order */
  events: EventReport[];
  logKey: string;
  /** of logKey, to compare by telephone */
  fingerprint: string;
  checkpoint: { origin: string; size: number; root: string } | null;
  /** who has signed the checkpoint beside the log; their signatures were not checked */
  cosigners: string[];
}

/**
 * Checks a history: every opening, the chain, the place of every event in the
 * log, the checkpoint's signature, the key. Without pinnedLogKey the history's
 * own key is used, and the report says that it is not confirmed. Never throws
 * on a bad history, and gives way to the page now and then on a long one.
 */
export async function checkHistory(history: History, pinnedLogKey?: string): Promise<Report> {
  try {
    return await check(history, pinnedLogKey);
  } catch {
    // Not the shape of a history at all: whoever made it is to be told so.
    const says = 'The history does not have the shape that it must have.';
    const checks: Check[] = [{ name: 'openings', subject: '', state: 'failed', says }];
    return { recording: String(history?.recording ?? ''), state: 'failed', checks, events: [], logKey: '', fingerprint: '', checkpoint: null, cosigners: [] };
  }
}

/** One event with what proves it, as the server gives it at /api/trail/{id}. */
export interface ProvenEvent {
  opening: Opening;
  /** RFC 6962 inclusion path, base64, from the leaf's sibling up */
  proof: string[];
  checkpoint: string;
  logKey: string;
}

/** Checks one event by itself: what it says, its place in the log, the log's signature, the key. Never throws on a bad one. */
export function checkEvent(event: ProvenEvent, pinnedLogKey?: string): Check[] {
  const checks: Check[] = [];
  const add: Add = (name, state, says, subject = '') => void checks.push({ name, subject, state, says });
  try {
    const history: History = { recording: '', itemKey: '', events: [event.opening], proofs: { [event.opening.index]: event.proof }, checkpoint: event.checkpoint, logKey: event.logKey };
    const checkpoint = checkLog(history, event.logKey.trim(), pinnedLogKey?.trim(), add);
    const [fault, state, says] = checkEventOf(history, event.opening, checkpoint, true);
    if (fault !== 'openings') add('openings', 'proven', 'What is shown is what was recorded, values as they were at the time.');
    add(fault || 'inclusion', state, says);
  } catch {
    add('openings', 'failed', 'The event does not have the shape that it must have.');
  }
  return checks;
}

async function check(history: History, pinnedLogKey?: string): Promise<Report> {
  const checks: Check[] = [];
  const add = (name: Check['name'], state: State, says: string, subject = history.recording) =>
    void checks.push({ name, subject, state, says });
  const logKey = (history.logKey ?? '').trim();
  const checkpoint = checkLog(history, logKey, pinnedLogKey?.trim(), add);
  const events = await checkEvents(history, checkpoint);

  const altered = events.filter((e) => e.fault === 'openings');
  const misplaced = events.filter((e) => e.fault === 'inclusion');
  const waiting = events.filter((e) => e.state === 'not_proven').length;
  for (const e of altered) add('openings', 'failed', e.says, `event ${e.place + 1}`);
  if (!altered.length) add('openings', 'proven', `What is shown of each of ${events.length} events is what was recorded.`);
  const key = fromBase64(history.itemKey);
  const broken = key?.length === 32 ? checkChain(itemTag(key, history.recording), history.events) : null;
  if (key?.length !== 32) add('chain', 'failed', 'The key that ties the history to the recording is missing.');
  else if (broken) add('chain', 'failed', broken.says);
  else add('chain', 'proven', `The history of ${events.length} events is complete from its beginning and in order.`);
  for (const e of misplaced) add('inclusion', 'failed', e.says, `event ${e.place + 1}`);
  if (waiting) add('inclusion', 'not_proven', `${waiting} of ${events.length} events are recorded but not in a signed checkpoint yet. They will be within seconds.`);
  else if (!misplaced.length) add('inclusion', 'proven', `Each of ${events.length} events stands in the log where it says.`);
  const others = cosigners(history.checkpoint ?? '', parseKey(logKey));
  add('witness', 'not_proven', others.length
    ? `Cosigned by ${others.join(', ')}, not judged here: whether they are who they should be, custos-verify tells from a witness policy that you get from somebody else than the force.`
    : 'No witness outside the force has co-signed the log: it proves nothing against the force itself.', '');

  const state = checks.some((c) => c.state === 'failed') ? 'failed' : checks.some((c) => c.name === 'key' && c.state === 'proven') ? 'proven' : 'not_proven';
  return {
    recording: history.recording,
    state,
    checks,
    events: events.map(({ place, index, state, says }) => ({ place, index, state, says })),
    logKey,
    fingerprint: logKey && fingerprint(logKey),
    checkpoint: checkpoint && { ...checkpoint, root: toBase64(checkpoint.root) },
    cosigners: others,
  };
}

type Add = (name: Check['name'], state: State, says: string, subject?: string) => void;

/** Checks key and checkpoint. The checkpoint comes back even if its signature is bad: proofs are worth checking all the same. */
function checkLog(history: History, logKey: string, pinned: string | undefined, add: Add): Checkpoint | null {
  if (!pinned) add('key', 'not_proven', 'The log key came from the same hands as the history. Compare its fingerprint with the force by telephone.', '');
  else if (pinned === logKey) add('key', 'proven', 'The log key is the one that you gave.', '');
  else add('key', 'failed', 'The log key is not the one that you gave.', '');
  const key = parseKey(pinned ?? logKey);
  const note = history.checkpoint ?? '';
  const c = parseCheckpoint(note);
  if (!c) add('checkpoint', 'failed', 'The checkpoint cannot be read.', '');
  else if (!key) add('checkpoint', 'failed', 'The log key cannot be read, so nothing shows who signed the checkpoint.', '');
  else if (!isSignedBy(note, key)) add('checkpoint', 'failed', "The checkpoint is not signed by the log's key.", '');
  else if (c.origin !== key.name) add('checkpoint', 'failed', 'The checkpoint is of another log.', '');
  else add('checkpoint', 'proven', `The log ${c.origin} signed that it has ${c.size} entries with this root.`, '');
  return c;
}

interface Found extends EventReport {
  fault: '' | 'openings' | 'inclusion';
}

async function checkEvents(history: History, c: Checkpoint | null): Promise<Found[]> {
  const out: Found[] = [];
  const lastLogged = history.events.findLastIndex((e) => e.index >= 0);
  for (const [place, o] of history.events.entries()) {
    if (place % 64 === 63) await new Promise((resolve) => setTimeout(resolve));
    // Events enter the log in their order, so only the newest can be waiting.
    const waits = place > lastLogged;
    const [fault, state, says] = checkEventOf(history, o, c, waits);
    out.push({ place, index: o.index, fault, state, says });
  }
  return out;
}

function checkEventOf(history: History, o: Opening, c: Checkpoint | null, waits: boolean): [Found['fault'], State, string] {
  if (!isAsRecorded(o)) return ['openings', 'failed', 'The event was altered: what is shown is not what was recorded.'];
  if (o.index < 0 && !waits) return ['inclusion', 'failed', 'The event is said to wait for its place in the log, and later ones have theirs.'];
  if (o.index < 0) return ['', 'not_proven', 'Recorded; not in a signed checkpoint yet.'];
  const path = history.proofs?.[String(o.index)];
  const hashes = (path ?? []).map(fromBase64);
  const leaf = fromBase64(o.leaf);
  if (!c || !leaf || path === undefined || !hashes.every((h) => h !== null)) return ['inclusion', 'failed', 'There is no proof that the event is in the log.'];
  if (o.index >= c.size) return ['inclusion', 'failed', 'The checkpoint is older than the event.'];
  if (!isIncluded(c, o.index, leafHash(leaf), hashes)) return ['inclusion', 'failed', 'The log has something else at the place where the event should be.'];
  return ['', 'proven', `Entry ${o.index} of the log.`];
}
