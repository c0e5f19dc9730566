// Events, times and sizes in words that a solicitor reads without a manual.
import { valueOf, type Opening, type State } from '../src/index';

/** Text that others wrote: what cannot be seen, or turns the direction of writing, is spelt out. */
export const plain = (s: string): string =>
  s.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, (c) => `‹U+${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}›`);

export const stateWord: Record<State, string> = { proven: 'Proven', failed: 'Wrong', not_proven: 'Not proven' };

/** A time that is known; the server's JSON has the year 1 for one that is not. */
export const known = (s: string | undefined): s is string => !!s && !s.startsWith('0001-');

/** 21 Nov 2026, 21:40:07 UTC; the text itself where it is no time. */
export function time(s: string | undefined): string {
  if (!known(s)) return 'not known';
  const d = new Date(s);
  if (Number.isNaN(d.getTime())) return plain(s);
  return `${new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' }).format(d)} UTC`;
}

export function size(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${bytes.toLocaleString('en-GB')} bytes`;
}

export function duration(ms: number | undefined): string {
  if (!ms) return '';
  const s = Math.round(ms / 1000);
  return [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60].map((n) => String(n).padStart(2, '0')).join(':');
}

const verbs: Record<string, string> = {
  collect: 'taking it in from the camera',
  derive: 'making a working copy; the master is not touched',
  consult: 'watching it',
  disclose: 'disclosing it',
  combine: 'combining it with other material',
  erase: 'erasing it',
  verify: 'checking it against its record',
  administer: 'an act of administration',
  find: 'looking for it',
  trail: 'reading its history',
};

/** Looks that are less than watching, by their field "what". */
const looks: Record<string, string> = { 'poster in a list': 'seeing its small picture in a list' };

/** What was done, in a few words. */
export function what(o: Opening): string {
  const verb = valueOf(o, 'verb') ?? '';
  const segment = valueOf(o, 'segment');
  const look = verb === 'consult' ? looks[valueOf(o, 'what') ?? ''] : undefined;
  const act = (look ?? verbs[verb] ?? plain(verb)) + (segment ? ` (segment ${plain(segment)})` : '');
  switch (valueOf(o, 'phase')) {
    case 'intent':
      return `Begun: ${act}`;
    case 'outcome':
      return `Done: ${act}`;
    case 'refused':
      return `Refused: ${act}`;
    case 'failed':
      return `Failed: ${act}`;
    default:
      return act;
  }
}

/** Who did it; withheld names are said to be withheld. */
export function who(o: Opening): string {
  const name = [valueOf(o, 'actor_name'), valueOf(o, 'actor_number')].filter((s) => s).join(', ');
  if (name) return plain(name);
  return o.fields.some((f) => f.name === 'actor_name' && f.value === undefined) ? 'somebody whose name is withheld' : plain(valueOf(o, 'actor_kind') ?? 'not said');
}

/** Why and for whom, where that was said. */
export function why(o: Opening): string {
  const to = valueOf(o, 'recipient');
  const said = ['purpose', 'reference', 'note'].map((n) => valueOf(o, n));
  return plain([...said, to && `for ${to}`].filter((s) => s).join(' · '));
}
