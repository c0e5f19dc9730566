// The access list of a recording as it is edited: people by what was typed,
// ends by the day on the force's clock.
import type { Listed } from '../../api/types';
import { personName } from '../../words/names';
import { addDays, isoDay, known, startOfDay } from '../../words/time';

export interface Place {
  /** of the row, for the page alone */
  key: number;
  /** collar number or sign-in name as typed; what the server takes for one who stands on the list already */
  person: string;
  /** what is shown for one who stands on the list already, '' for a new one */
  name: string;
  /** last day on the list, '' = no end */
  day: string;
  /** the end as the server has it, sent back unchanged where the day is */
  until: string;
}

/** 2026-12-01T00:00:00Z → 2026-11-30: until midnight is the day before. */
const lastDay = (until: string) => isoDay(new Date(Date.parse(until) - 1));

/** The place of somebody who stands on the list. */
export function placeOf(l: Listed, key: number): Place {
  const until = known(l.until) ? l.until : '';
  return { key, person: l.person.id, name: personName(l.person), day: until && lastDay(until), until };
}

/** The list as the server takes it. Rows in which nothing was typed are left out. */
export function listOf(places: Place[]): { person: string; until?: string }[] {
  return places.filter((p) => p.person.trim()).map((p) => {
    const until = !p.day ? '' : p.until && lastDay(p.until) === p.day ? p.until : startOfDay(addDays(p.day, 1));
    return { person: p.person.trim(), ...(until && { until }) };
  });
}
