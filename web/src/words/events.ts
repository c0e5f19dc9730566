// The events of the ledger in plain words. What is said here is read from the
// fields alone; the fields themselves are one press away.
import type { Opening } from '../api/types';
import type { Tone } from '../parts/badges';
import { bytes, dayTime, lengthInWords, plural } from './time';

/** The operations, as a list of choices names them. */
export const verbNames: Record<string, string> = {
  collect: 'Collection', derive: 'Working copies', consult: 'Viewing', disclose: 'Disclosure', combine: 'Combination', erase: 'Erasure',
  verify: 'Checks', restrict: 'Restriction', assign: 'Ownership', administer: 'Administration', audit: 'Reading the trail',
};
export const phaseNames: Record<string, string> = { intent: 'Begun', outcome: 'Done', refused: 'Refused', failed: 'Failed' };

export type EventKind = 'collect' | 'view' | 'list' | 'copy' | 'disclose' | 'place' | 'other';

export interface Told {
  kind: EventKind;
  tone: Tone;
  /** what happened */
  what: string;
  /** by whom */
  who: string;
  /** when, RFC 3339; empty if withheld */
  at: string;
  /** further particulars, may be empty */
  more: string;
}

export type Fields = Record<string, string | undefined>;

/** The opened values of an event by name; withheld ones are absent. */
export const fieldsOf = (o: Opening): Fields =>
  Object.fromEntries(o.fields.flatMap((f) => ('value' in f ? [[f.name, f.value]] : [])));

const made: Record<string, string> = { poster: 'a still picture', trickplay: 'preview pictures', waveform: 'a sound curve', proxy: 'a viewing copy' };

function who(f: Fields): string {
  const name = [f.actor_name, f.actor_number].filter(Boolean).join(' ');
  if (f.actor_kind === 'system') return 'Custos itself';
  if (f.actor_kind === 'dock') return name ? `Dock ${name}` : 'A dock';
  return name || 'Somebody whose name is withheld';
}

/** What the code of a purpose is called. */
type NameOf = (code: string) => string;

function purpose(f: Fields, nameOf: NameOf): string {
  if (!f.purpose) return '';
  return [nameOf(f.purpose), f.reference].filter(Boolean).join(', ');
}

const ms = (text: string | undefined) => (text ? lengthInWords(Number(text)) : '');
const join = (...parts: (string | undefined | false)[]) => parts.filter(Boolean).join(' · ');

function consult(f: Fields, nameOf: NameOf): [EventKind, string, string] {
  if (f.what === 'poster in a list') return ['list', 'Still picture shown in a list', ''];
  if (f.phase === 'outcome') {
    const how = f.ended === 'closed' || !f.ended ? 'Stopped watching' : 'Viewing ended by itself';
    return ['view', how, join(f.watched_ms && `watched for ${ms(f.watched_ms)}`, f.open_ms && `open for ${ms(f.open_ms)}`, f.bytes && `${bytes(Number(f.bytes))} sent`)];
  }
  return ['view', 'Opened to watch', join(purpose(f, nameOf), f.note, f.hold_requested && 'a hold was requested')];
}

function derive(f: Fields): [EventKind, string, string] {
  const copies = Object.keys(made).filter((k) => f[k + '_sha256']).map((k) => made[k]);
  const of = f.segment ? `from segment ${f.segment}` : '';
  if (f.phase === 'outcome') {
    return ['copy', copies.length ? `Made ${copies.join(', ')}` : 'Looked at the file', join(of, f.found && `found: ${found(f.found)}`, 'the master was not changed')];
  }
  return ['copy', `Began work on a copy${f.what ? `: ${made[f.what] ?? f.what}` : ''}`, of];
}

const found = (state: string) =>
  ({ playable: 'plays as it is', proxy: 'needs a viewing copy', audio: 'sound only', none: 'cannot be shown as video', pending: 'not looked at yet' })[state] ?? state;

function collect(f: Fields): [EventKind, string, string] {
  const file = join(f.file_name, f.length && bytes(Number(f.length)), f.store && `read back from ${f.store}`);
  if (f.phase === 'intent') return ['collect', 'A file was offered', file];
  if (f.known) return ['collect', 'The same file came in again', file];
  return ['collect', f.segment ? `Collected segment ${f.segment} from camera ${f.device ?? '(withheld)'}` : 'Collected', file];
}

function disclose(f: Fields, nameOf: NameOf): [EventKind, string, string] {
  return ['disclose', f.phase === 'outcome' ? 'Exported' : 'Export began', join(purpose(f, nameOf), f.recipient && `to ${f.recipient}`, f.bundle && `bundle ${f.bundle}`)];
}

/** What was looked for in the trail, from the fields sought_… */
const sought = (f: Fields) => Object.entries(f).flatMap(([n, v]) => (n.startsWith('sought_') && v ? [`${n.slice(7)} ${soughtValue(n, v)}`] : [])).join(', ');
const soughtValue = (name: string, v: string) =>
  (name === 'sought_from' || name === 'sought_to' ? dayTime(v) : name === 'sought_verbs' ? v.split(' ').map((w) => verbNames[w]?.toLowerCase() ?? w).join(', ') : v);

function audit(f: Fields): [EventKind, string, string] {
  const what: Record<string, string> = { search: 'Searched the trail', 'one event': 'Opened an event', export: `${f.phase === 'intent' ? 'Began to give out' : 'Gave out'} the trail${f.format ? ` as ${f.format.toUpperCase()}` : ''}`, 's.62 report': f.phase === 'intent' ? 'Asked for the s.62 report' : 'Made the s.62 report', 's.62 counts': 'Counted for the s.62 report' };
  return ['other', what[f.what ?? ''] ?? 'Read the trail', join(sought(f), f.events && `${f.events} events`)];
}

const administer = (f: Fields): [EventKind, string, string] => ['other', f.what ? f.what.charAt(0).toUpperCase() + f.what.slice(1) : 'Administered', join(f.login, f.name, f.role)];

function combine(f: Fields): [EventKind, string, string] {
  const what = f.what === 'taken out of case' ? 'Taken out of' : 'Put into';
  return ['place', f.case_number ? `${what} ${f.case_number}` : 'Combined', f.note ?? ''];
}

const classes: Record<string, string> = { normal: 'for everybody whose work includes it', restricted: 'as restricted', confidential: 'as confidential' };

function restrict(f: Fields): [EventKind, string, string] {
  const named = f.listed ? f.listed.split(', ').length : 0;
  return ['place', `Kept ${classes[f.class ?? ''] ?? 'as before'}`, join(f.note, named > 0 && `${plural(named, 'name')} on its access list`)];
}

function assign(f: Fields): [EventKind, string, string] {
  const how: Record<string, string> = { assigned: 'Its owner was set by hand', assignment: 'Found its owner by who had the camera', number: 'Found its owner by the collar number' };
  return ['place', f.owner ? how[f.owned_by ?? ''] ?? 'Found its owner' : 'Made nobody’s', f.note ?? ''];
}

const others: Record<string, string> = { verify: 'Checked', erase: 'Erased', administer: 'Administered', identify: 'Signed in or out, or changed an account' };
const acts: Record<string, string> = { consult: 'watch', derive: 'make a copy', collect: 'collect', disclose: 'export', verify: 'check', combine: 'combine', erase: 'erase', restrict: 'restrict', assign: 'say whose it is', audit: 'read the trail', administer: 'administer', find: 'know of it', trail: 'see the history' };

/** nameOf gives the names of the force's list; without it, purposes are called by their codes. */
export function tell(o: Opening, nameOf: NameOf = (code) => code): Told {
  const f = fieldsOf(o);
  const verb = f.verb ?? '';
  const tellers: Record<string, (f: Fields, nameOf: NameOf) => [EventKind, string, string]> = { consult, derive, collect, disclose, combine, restrict, assign, audit, administer };
  const [kind, what, more] = tellers[verb]?.(f, nameOf) ?? ['other', others[verb] ?? `Event “${verb || 'withheld'}”`, ''];
  const base = { kind, who: who(f), at: f.at ?? '' };
  if (f.phase === 'refused') return { ...base, tone: 'warn', what: `Was refused to ${acts[verb] ?? verb}`, more: join(f.reason, purpose(f, nameOf), sought(f)) };
  if (f.phase === 'failed') return { ...base, tone: 'bad', what: `Failed to ${acts[verb] ?? verb}`, more: join(f.reason, f.segment && `segment ${f.segment}`) };
  return { ...base, tone: kind === 'disclose' ? 'accent' : 'plain', what, more };
}

const names: Record<string, string> = {
  event: 'Event', item: 'Item', verb: 'Operation', phase: 'Phase', at: 'When', actor_kind: 'Kind of party', actor_id: 'Account', actor_name: 'Name',
  actor_number: 'Collar number', actor_role: 'Role', address: 'Network address', session: 'Session', sha256: 'SHA-256', master_sha256: 'Master’s SHA-256',
  read_back_at: 'Read back', clock_offset_ms: 'Clock offset (ms)', bytes: 'Bytes sent', length: 'Length (bytes)',
};

/** actor_number → Collar number, file_name → File name */
export function fieldName(name: string): string {
  const words = name.replace(/_/g, ' ').replace(/\bsha256\b/, 'SHA-256').replace(/\bms\b/, '(ms)');
  return names[name] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

/** An event, or several of one kind in a row that say little one by one. */
export type Entry = { fold: false; opening: Opening; told: Told } | { fold: true; events: { opening: Opening; told: Told }[] };

/** Folds runs of two or more "shown in a list". Order is kept. */
export function fold(events: { opening: Opening; told: Told }[]): Entry[] {
  const entries: Entry[] = [];
  let run: { opening: Opening; told: Told }[] = [];
  const flush = () => {
    if (run.length > 1) entries.push({ fold: true, events: run });
    else entries.push(...run.map((e) => ({ fold: false as const, ...e })));
    run = [];
  };
  for (const e of events) {
    if (e.told.kind === 'list' && e.told.tone === 'plain') run.push(e);
    else {
      flush();
      entries.push({ fold: false, ...e });
    }
  }
  flush();
  return entries;
}
