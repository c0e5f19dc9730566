import type { Card } from '../../api/types';
import { isoDay } from '../../words/time';

/** One line of the virtual list: the heading of a day, or cards side by side. */
export type Row = { kind: 'day'; day: string } | { kind: 'cards'; first: number; cards: Card[] };

/** Lays out cards, newest first, in lines of columns, with a heading at each new day. */
export function layOut(cards: Card[], columns: number): Row[] {
  const rows: Row[] = [];
  let day = '';
  let open: Row | undefined;
  cards.forEach((card, i) => {
    const d = isoDay(card.startedAt);
    if (d !== day) {
      day = d;
      rows.push({ kind: 'day', day });
      open = undefined;
    }
    if (open?.kind !== 'cards' || open.cards.length >= columns) {
      open = { kind: 'cards', first: i, cards: [] };
      rows.push(open);
    }
    open.cards.push(card);
  });
  return rows;
}

/** The line that holds card i. */
export const rowOf = (rows: Row[], i: number) => rows.findIndex((r) => r.kind === 'cards' && i >= r.first && i < r.first + r.cards.length);

/** The card reached from card i by going lines up or down, in about the same column. */
export function vertical(rows: Row[], i: number, lines: 1 | -1): number {
  let r = rowOf(rows, i);
  const from = rows[r];
  if (from?.kind !== 'cards') return i;
  const column = i - from.first;
  for (r += lines; rows[r]; r += lines) {
    const row = rows[r];
    if (row?.kind === 'cards') return row.first + Math.min(column, row.cards.length - 1);
  }
  return i;
}
