// The filter of the list lives in the address, so that a list can be sent to a
// colleague, kept as a bookmark, and is there again after going back.
import type { RecordingsFilter } from '../../api/client';
import { addDays, startOfDay } from '../../words/time';

export interface Filter {
  officer: string;
  device: string;
  /** first and last day shown, as 2026-11-21 on the force's clock; empty = open */
  from: string;
  to: string;
}

const isDay = (s: string | null): s is string => !!s && /^\d{4}-\d\d-\d\d$/.test(s) && !Number.isNaN(Date.parse(s));

export function readFilter(q: URLSearchParams): Filter {
  const from = q.get('from');
  const to = q.get('to');
  return {
    officer: q.get('officer') ?? '',
    device: q.get('device') ?? '',
    from: isDay(from) ? from : '',
    to: isDay(to) ? to : '',
  };
}

/** q with some values of the filter changed; everything else in the address stays. */
export function withFilter(q: URLSearchParams, change: Partial<Filter>): URLSearchParams {
  const next = new URLSearchParams(q);
  for (const [name, value] of Object.entries(change)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  return next;
}

/** What the server is asked: instants, the first included, the last not. */
export function forServer(f: Filter): RecordingsFilter {
  return {
    officer: f.officer.trim() || undefined,
    device: f.device.trim() || undefined,
    from: f.from ? startOfDay(f.from) : undefined,
    to: f.to ? startOfDay(addDays(f.to, 1)) : undefined,
  };
}

export const isOpen = (f: Filter) => !f.officer.trim() && !f.device.trim() && !f.from && !f.to;
