import type { System } from '../../api/types';
import { ago, bytes, full, known, lengthInWords, plural } from '../../words/time';

export interface Warning {
  tone: 'warn' | 'bad';
  says: string;
}

/** The state of a store or ledger that works. */
export const ok = 'ok';

/** What a person should know or do, worst first. */
export function warnings(s: System, now: Date): Warning[] {
  const found: Warning[] = [];
  const say = (tone: Warning['tone'], says: string) => found.push({ tone, says });
  for (const store of s.stores ?? []) {
    const free = store.bytesTotal > 0 ? store.bytesFree / store.bytesTotal : 1;
    if (store.state !== ok) say('bad', `store ${store.name} is ${store.state}. ${store.message || 'Nothing more is taken in until it works again; docks keep their footage.'}`);
    if (free < 0.05) say('bad', `store ${store.name} is nearly full, ${bytes(store.bytesFree)} free. When it is full, docks keep their footage and cameras are not wiped. Add room.`);
    else if (free < 0.15) say('warn', `store ${store.name} is filling up, ${bytes(store.bytesFree)} free. Plan for more room.`);
  }
  const l = s.ledger;
  if (l.state !== ok) say('bad', `the ledger is ${l.state}. ${l.message || 'While nothing can be recorded, nothing can be watched or taken in.'}`);
  const late = now.getTime() - Date.parse(l.checkpointAt);
  const behind = l.events - l.checkpointSize;
  if (behind > 0 && late > 60_000) say('bad', `${plural(behind, 'event')} of the ledger ${behind === 1 ? 'has' : 'have'} not been signed; the last checkpoint is from ${ago(l.checkpointAt, now.getTime())}.`);
  if (s.work.failed > 0) say('warn', `${plural(s.work.failed, 'piece')} of work failed. The masters are safe; some recordings have no pictures or viewing copy.`);
  if (s.work.waiting > 500) say('warn', `${plural(s.work.waiting, 'piece')} of work are waiting. Recordings take longer than usual to be ready for viewing.`);
  const a = s.approvals;
  if (a.overdue > 0) say('bad', `${plural(a.overdue, 'review')} of emergency access ${a.overdue === 1 ? 'is' : 'are'} overdue. Professional standards, auditors or the data protection officer must say whether it was justified.`);
  if (a.glass > 0) say('warn', `emergency access is in use by ${plural(a.glass, 'person', 'people')} just now. Those who review it have been told.`);
  const { witnesses, authorities } = s.witness;
  if (witnesses.length === 0) say('warn', 'the log is not witnessed. Whoever holds its key could write it anew without being noticed. Have an outside body sign it.');
  else if (!l.witnessed) say('bad', `the log has not been witnessed ${known(s.witness.at) ? `since ${full(since(s.witness.since, s.witness.at))}` : 'yet'}. Everything goes on being recorded and signed, and is witnessed once enough witnesses answer again.`);
  for (const w of witnesses) {
    if (w.trouble && now.getTime() - Date.parse(known(w.since) ? w.since : s.startedAt) > 60_000) say('warn', `witness ${w.name} has not signed ${known(w.at) ? `since ${full(since(w.since, w.at))}` : 'yet'}. ${w.trouble}`);
  }
  for (const a of authorities) {
    if (a.late) say('warn', `timestamp authority ${a.name} has given no timestamp ${known(a.at) ? `since ${full(a.at)}` : 'yet'}. ${a.trouble}`);
  }
  if (s.passwordAlone > 0) say('warn', `${plural(s.passwordAlone, 'account')} can be opened with a password alone, as mfa is optional in the configuration. That is for demonstrations and tests: a password that was seen or guessed is enough.`);
  const skew = now.getTime() - Date.parse(s.startedAt);
  if (skew < -60_000) say('warn', `the clock of this computer and that of the server differ by ${lengthInWords(skew)} or more.`);
  return found.sort((a, b) => Number(b.tone === 'bad') - Number(a.tone === 'bad'));
}

/** Since when something is missing; where that is not known, since the last that there was. */
const since = (missing: string, last: string) => (known(missing) ? missing : last);
