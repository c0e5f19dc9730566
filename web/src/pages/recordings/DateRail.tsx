import { ActionIcon, Button } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { count, isoDay } from '../../words/time';
import styles from './DateRail.module.css';
import type { Filter } from './filter';

interface Props {
  filter: Filter;
  days?: { day: string; count: number }[];
  failed: boolean;
  onChange: (f: Partial<Filter>) => void;
}

const monthName = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', month: 'long', year: 'numeric' });
const shortMonth = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', month: 'short' });
const noon = (day: string) => new Date(day + 'T12:00:00Z');

/** The days of a month (2026-11) in weeks from Monday; null = a day of another month. */
export function weeks(month: string): (string | null)[][] {
  const first = noon(month + '-01');
  const length = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  const cells: (string | null)[] = Array.from({ length: (first.getUTCDay() + 6) % 7 }, () => null);
  for (let d = 1; d <= length; d++) cells.push(`${month}-${String(d).padStart(2, '0')}`);
  while (cells.length % 7) cells.push(null);
  return Array.from({ length: cells.length / 7 }, (_, i) => cells.slice(i * 7, i * 7 + 7));
}

export function step(month: string, by: number): string {
  const d = noon(month + '-15');
  d.setUTCMonth(d.getUTCMonth() + by);
  return d.toISOString().slice(0, 7);
}

/** A month with its counts, and every other month one press away: any day is two actions from here. */
export function DateRail({ filter, days, failed, onChange }: Props) {
  const [chosen, setChosen] = useState<string>();
  const counts = useMemo(() => new Map(days?.map((d) => [d.day, d.count])), [days]);
  const months = useMemo(() => {
    const sum = new Map<string, number>();
    for (const d of days ?? []) sum.set(d.day.slice(0, 7), (sum.get(d.day.slice(0, 7)) ?? 0) + d.count);
    return [...sum].sort(([a], [b]) => (a < b ? 1 : -1));
  }, [days]);
  const today = isoDay(new Date());
  const month = chosen ?? (filter.from || filter.to || months[0]?.[0] || today).slice(0, 7);
  const most = Math.max(1, ...weeks(month).flat().map((d) => (d && counts.get(d)) || 0));
  const single = filter.from !== '' && filter.from === filter.to;

  const press = (day: string, extend: boolean) => {
    if (extend && filter.from) onChange(day < filter.from ? { from: day, to: filter.to || filter.from } : { from: filter.from, to: day });
    else if (single && day === filter.from) onChange({ from: '', to: '' });
    else onChange({ from: day, to: day });
  };

  return (
    <div className={styles.rail}>
      <div className={styles.head}>
        <ActionIcon variant="subtle" color="gray" aria-label="Month before" onClick={() => setChosen(step(month, -1))}><IconChevronLeft size={17} aria-hidden /></ActionIcon>
        <h2>{monthName.format(noon(month + '-15'))}</h2>
        <ActionIcon variant="subtle" color="gray" aria-label="Month after" disabled={month >= today.slice(0, 7)} onClick={() => setChosen(step(month, 1))}><IconChevronRight size={17} aria-hidden /></ActionIcon>
      </div>
      <table className={styles.calendar}>
        <thead><tr>{['Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su'].map((d) => <th key={d} scope="col">{d}</th>)}</tr></thead>
        <tbody>
          {weeks(month).map((week) => (
            <tr key={week.find(Boolean)}>
              {week.map((d, i) => {
                const n = (d && counts.get(d)) || 0;
                const inRange = !!d && (filter.from !== '' || filter.to !== '') && (!filter.from || d >= filter.from) && (!filter.to || d <= filter.to);
                return (
                  <td key={d ?? i}>
                    {d && (
                      <button
                        type="button"
                        disabled={n === 0 && !inRange}
                        aria-pressed={inRange}
                        data-today={d === today || undefined}
                        onClick={(e) => press(d, e.shiftKey)}
                      >
                        <span>{Number(d.slice(8))}<span className="hidden"> {monthName.format(noon(d))}, {n === 0 && 'no recordings'}</span></span>
                        {n > 0 && <small>{n > 9999 ? `${Math.round(n / 1000)}k` : count(n)}<span className="hidden"> {n === 1 ? 'recording' : 'recordings'}</span></small>}
                        {n > 0 && <i style={{ width: `${20 + (70 * n) / most}%` }} />}
                      </button>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {failed && <p className={styles.note}>The counts could not be loaded. Dates can still be chosen above the list.</p>}
      {(filter.from || filter.to) && <Button variant="default" size="xs" fullWidth onClick={() => onChange({ from: '', to: '' })}>All dates</Button>}
      <h3 className={styles.label}>Months</h3>
      <ul className={styles.months}>
        {months.map(([m, n], i) => (
          <li key={m}>
            {(i === 0 || months[i - 1]?.[0].slice(0, 4) !== m.slice(0, 4)) && <span className={styles.year}>{m.slice(0, 4)}</span>}
            <button type="button" aria-current={m === month ? 'date' : undefined} onClick={() => setChosen(m)}>
              <span>{shortMonth.format(noon(m + '-15'))}<span className="hidden"> {m.slice(0, 4)}</span></span>
              <span className="dim">{count(n)}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
