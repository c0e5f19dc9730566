// How times, lengths and sizes are written. Times are shown on the clock of
// the force, never on that of the computer in front of the reader: two people
// who look at one recording must read the same time.

/** The clock that people of the service live by. */
export const zone = 'Europe/London';

const part = (options: Intl.DateTimeFormatOptions, timeZone = zone) =>
  new Intl.DateTimeFormat('en-GB', { timeZone, hourCycle: 'h23', ...options });

const dayFormat = part({ day: 'numeric', month: 'short', year: 'numeric' });
const weekdayFormat = part({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
const timeFormat = part({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
const shortTimeFormat = part({ hour: '2-digit', minute: '2-digit' });
const zoneFormat = part({ timeZoneName: 'short' });
const isoDayFormat = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' });

const zero = '0001-01-01T00:00:00Z';

/** Tells whether t is a real time; Go's zero time and the empty string are not. */
export const known = (t: string | undefined | null): t is string => !!t && t !== zero;

/** 21 Nov 2026 */
export const day = (t: string | Date) => dayFormat.format(new Date(t));
/** Sat, 21 Nov 2026 */
export const weekday = (t: string | Date) => weekdayFormat.format(new Date(t));
/** 21:40:05 */
export const time = (t: string | Date) => timeFormat.format(new Date(t));
/** 21:40 */
export const shortTime = (t: string | Date) => shortTimeFormat.format(new Date(t));
/** 21 Nov 2026, 21:40 */
export const dayTime = (t: string | Date) => `${day(t)}, ${shortTime(t)}`;
/** 21 Nov 2026, 21:40:05 GMT */
export const full = (t: string | Date) => `${day(t)}, ${time(t)} ${zoneName(t)}`;
/** GMT or BST, as it was at t */
export const zoneName = (t: string | Date) =>
  zoneFormat.formatToParts(new Date(t)).find((p) => p.type === 'timeZoneName')?.value ?? 'UTC';
/** 2026-11-21 21:40:05.120 UTC, to the millisecond, cut and never rounded up */
export const utc = (t: string | Date) => new Date(t).toISOString().replace('T', ' ').replace('Z', ' UTC');
/** 2026-11-21, the day on the force's clock */
export const isoDay = (t: string | Date) => isoDayFormat.format(new Date(t));

/**
 * The instant at which day (2026-11-21) begins on the force's clock, as RFC
 * 3339. It is found by looking at the clock, so it holds on the days when the
 * clocks change.
 */
export function startOfDay(dayText: string): string {
  const noon = new Date(dayText + 'T12:00:00Z');
  const [h = 0, m = 0] = shortTimeFormat.format(noon).split(':').map(Number);
  const guess = new Date(noon.getTime() - (h * 60 + m) * 60_000);
  // Between midnight and noon the clocks may have changed: correct by what the clock shows then.
  const [gh = 0, gm = 0] = shortTimeFormat.format(guess).split(':').map(Number);
  const minutes = gh * 60 + gm;
  return new Date(guess.getTime() - (minutes > 720 ? minutes - 1440 : minutes) * 60_000).toISOString().replace('.000Z', 'Z');
}

/** The day n days after day (2026-11-21). */
export function addDays(dayText: string, n: number): string {
  const d = new Date(dayText + 'T12:00:00Z');
  d.setUTCDate(d.getUTCDate() + n);
  return d.toISOString().slice(0, 10);
}

/** 0:07, 12:30, 1:02:09; whole seconds, cut */
export function length(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const pad = (n: number) => String(n).padStart(2, '0');
  const h = Math.floor(s / 3600);
  const m = Math.floor((s % 3600) / 60);
  return h > 0 ? `${h}:${pad(m)}:${pad(s % 60)}` : `${m}:${pad(s % 60)}`;
}

/** 4 seconds, 2 minutes 5 seconds: a length of time in words */
export function lengthInWords(ms: number): string {
  const n = Math.abs(ms);
  if (n < 1000) return `${Math.round(n)} milliseconds`;
  const s = Math.round(n / 1000);
  const say = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`;
  if (s < 60) return n < 10_000 && n % 1000 !== 0 ? `${(n / 1000).toFixed(1)} seconds` : say(s, 'second');
  const h = Math.floor(s / 3600);
  const m = Math.floor((s % 3600) / 60);
  const parts = [h && say(h, 'hour'), m && say(m, 'minute'), h === 0 && s % 60 && say(s % 60, 'second')];
  return parts.filter(Boolean).join(' ');
}

/** just now, 5 min ago, 3 h ago; beyond a day the date */
export function ago(t: string, now = Date.now()): string {
  const s = (now - new Date(t).getTime()) / 1000;
  if (s < 10) return 'just now';
  if (s < 60) return `${Math.floor(s)} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ago`;
  return dayTime(t);
}

/** 812 bytes, 4.1 MB; powers of ten, as disk makers count */
export function bytes(n: number): string {
  if (n < 1000) return `${n} bytes`;
  const units = ['kB', 'MB', 'GB', 'TB', 'PB'];
  let value = n;
  let unit = '';
  for (unit of units) {
    value /= 1000;
    if (value < 999.5) break;
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** 1,204 */
export const count = (n: number) => n.toLocaleString('en-GB');

/** 1 file, 2 files */
export const plural = (n: number, one: string, many = one + 's') => `${count(n)} ${n === 1 ? one : many}`;
