import { Button, Loader, Skeleton } from '@mantine/core';
import { useElementSize, useMergedRef } from '@mantine/hooks';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Card } from '../../api/types';
import { useKeys } from '../../parts/keys';
import { weekday } from '../../words/time';
import { CardRow, CardTile, tableColumns } from './Card';
import type { View } from './RecordingsPage';
import styles from './Results.module.css';
import { layOut, rowOf, vertical } from './rows';
import type { useRecordings } from './useRecordings';

const gap = 12;
const smallestTile = 216;
const tileText = 82; // height of what stands under the picture
const dayHeight = 36;

interface Props {
  cards: Card[];
  view: View;
  list: ReturnType<typeof useRecordings>;
  /** names this list, to find the place in it again after going back */
  storageKey: string;
}

/** The list itself: only what is on the screen exists in the page. */
export function Results({ cards, view, list, storageKey }: Props) {
  const { ref: sized, width } = useElementSize<HTMLDivElement>();
  const box = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  const place = 'custos-place:' + storageKey;
  const columns = view === 'table' ? 1 : Math.max(width < 460 ? 1 : 2, Math.floor((width + gap) / (smallestTile + gap)));
  const tile = (width - gap * (columns - 1)) / columns;
  const cardHeight = view === 'table' ? (width < 640 ? 68 : 52) : Math.round((tile * 9) / 16 + tileText + gap);
  const rows = useMemo(() => layOut(cards, columns), [cards, columns]);

  useLayoutEffect(() => {
    if (box.current) setMargin(box.current.getBoundingClientRect().top + window.scrollY);
  }, [width]);

  const virtual = useWindowVirtualizer({
    count: width ? rows.length : 0,
    estimateSize: (i) => (rows[i]?.kind === 'day' ? dayHeight : cardHeight),
    overscan: 4,
    scrollMargin: margin,
    scrollPaddingStart: 120,
    scrollPaddingEnd: 60,
  });
  useLayoutEffect(() => virtual.measure(), [virtual, cardHeight, rows]);

  // A card can be focused only once the list has moved to it and drawn it.
  const wanted = useRef(-1);
  const focusWanted = () => {
    const link = box.current?.querySelector<HTMLElement>(`[data-card="${wanted.current}"]`);
    if (!link) return;
    wanted.current = -1;
    link.focus({ preventScroll: true });
  };
  const focusCard = (i: number) => {
    wanted.current = i;
    virtual.scrollToIndex(rowOf(rows, i), { align: 'auto' });
    focusWanted();
  };
  useEffect(focusWanted);

  // Coming back from a recording, the list stands where it was left, with the focus on that recording.
  const returned = useRef(false);
  useEffect(() => {
    if (returned.current || !width) return;
    returned.current = true;
    const i = cards.findIndex((c) => c.id === sessionStorage.getItem(place));
    if (i >= 0) focusCard(i);
  });

  const focused = () => Number((document.activeElement as HTMLElement | null)?.dataset.card ?? -1);
  const go = (to: (i: number) => number) => {
    const i = focused();
    const first = virtual.getVirtualItems().map((v) => rows[v.index]).find((r) => r?.kind === 'cards');
    focusCard(i < 0 ? (first?.kind === 'cards' ? first.first : 0) : Math.min(cards.length - 1, Math.max(0, to(i))));
  };
  const besides = (by: number) => () => (focused() < 0 ? false : void go((i) => i + by));
  useKeys({
    j: () => void go((i) => i + 1),
    k: () => void go((i) => i - 1),
    ArrowDown: () => (focused() < 0 ? false : void go((i) => vertical(rows, i, 1))),
    ArrowUp: () => (focused() < 0 ? false : void go((i) => vertical(rows, i, -1))),
    ArrowRight: besides(1),
    ArrowLeft: besides(-1),
  });

  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = list;
  useEffect(() => {
    if (last >= rows.length - 6 && hasNextPage && !isFetchingNextPage && !isFetchNextPageError && width) void fetchNextPage();
  }, [last, rows.length, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage, width]);

  const setSize = hasNextPage ? -1 : cards.length;
  return (
    <div ref={useMergedRef(sized, box)}>
      {view === 'table' && width >= 640 && <div className={styles.columns} aria-hidden>{tableColumns.map((c) => <span key={c}>{c}</span>)}</div>}
      <div className={styles.space} role="list" aria-label="Recordings" style={{ height: virtual.getTotalSize() }}>
        {items.map((v) => {
          const row = rows[v.index];
          if (!row) return null;
          const top = { transform: `translateY(${v.start - margin}px)`, height: v.size };
          if (row.kind === 'day') {
            return <div key={v.key} className={styles.day} role="listitem" style={top}><h2>{weekday(row.day + 'T12:00:00Z')}</h2></div>;
          }
          return (
            <div key={v.key} className={styles.row} role="presentation" style={{ ...top, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, gap: view === 'grid' ? gap : 0 }}>
              {row.cards.map((card, i) => {
                const at = row.first + i;
                const Shape = view === 'table' ? CardRow : CardTile;
                return (
                  <div key={card.id} role="listitem" aria-posinset={at + 1} aria-setsize={setSize}>
                    <Shape card={card} at={at} onOpen={() => sessionStorage.setItem(place, card.id)} />
                  </div>
                );
              })}
            </div>
          );
        })}
      </div>
      <div className={styles.foot} role="status">
        {isFetchingNextPage && <><Loader size="xs" color="accent" aria-hidden /> Loading more …</>}
        {isFetchNextPageError && <>The next recordings could not be loaded. <Button size="xs" variant="default" onClick={() => void fetchNextPage()}>Try again</Button></>}
        {!hasNextPage && cards.length > 12 && 'That is all.'}
      </div>
    </div>
  );
}

/** The shape of the list while it is on its way. */
export function Skeletons({ view }: { view: View }) {
  return (
    <div className={view === 'grid' ? styles.skeletonGrid : styles.skeletonTable} role="status" aria-label="Opening recordings">
      {Array.from({ length: 12 }, (_, i) => <Skeleton key={i} height={view === 'grid' ? 206 : 44} radius="sm" />)}
    </div>
  );
}
