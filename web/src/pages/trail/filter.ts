// The filter of the trail lives in the address, so that what an auditor found
// can be sent to a colleague and is there again after going back.
import type { TrailFilter } from '../../api/client';
import { addDays, startOfDay } from '../../words/time';

export interface Filter {
  recording: string;
  /** account, dock or part of the service */
  person: string;
  reference: string;
  purpose: string;
  verb: string;
  phase: string;
  /** first and last day, as 2026-11-21 on the force's clock; empty = open */
  from: string;
  to: string;
}

const names = ['recording', 'person', 'reference', 'purpose', 'verb', 'phase', 'from', 'to'] as const;
const isDay = (s: string) => /^\d{4}-\d\d-\d\d$/.test(s) && !Number.isNaN(Date.parse(s));

export const open: Filter = { recording: '', person: '', reference: '', purpose: '', verb: '', phase: '', from: '', to: '' };

export function readFilter(q: URLSearchParams): Filter {
  const f = { ...open };
  for (const name of names) f[name] = (q.get(name) ?? '').trim();
  if (!isDay(f.from)) f.from = '';
  if (!isDay(f.to)) f.to = '';
  return f;
}

/** q with some values of the filter changed; everything else in the address stays. */
export function withFilter(q: URLSearchParams, change: Partial<Filter>): URLSearchParams {
  const next = new URLSearchParams(q);
  for (const [name, value] of Object.entries(change)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  next.delete('event');
  return next;
}

/** What the server is asked: instants, the first included, the last not. */
export function forServer(f: Filter): TrailFilter {
  const { from, to, ...rest } = f;
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([, v]) => v)),
    ...(from && { from: startOfDay(from) }),
    ...(to && { to: startOfDay(addDays(to, 1)) }),
  };
}

export const isOpen = (f: Filter) => names.every((n) => !f[n]);

/** The month before the one of today (2026-11-21), first and last day: what is reported on. */
export function lastMonth(today: string): { from: string; to: string } {
  const to = addDays(today.slice(0, 8) + '01', -1);
  return { from: to.slice(0, 8) + '01', to };
}
