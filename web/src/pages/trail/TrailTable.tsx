import { Button, Loader } from '@mantine/core';
import { useElementSize, useMergedRef } from '@mantine/hooks';
import { IconAlertTriangle, IconCircleX } from '@tabler/icons-react';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { TrailEvent } from '../../api/types';
import { useKeys } from '../../parts/keys';
import { fieldsOf, tell } from '../../words/events';
import { usePurposeName } from '../../app/queries';
import { day, dayTime, full, known, time } from '../../words/time';
import styles from './Trail.module.css';
import type { useTrail } from './useTrail';

interface Props {
  list: ReturnType<typeof useTrail>;
  /** the event whose panel is open */
  chosen: string;
  onChoose: (id: string) => void;
}

const columns = ['When', 'Who', 'What', 'To what', 'Why'];

/** The events, newest first: only what is on the screen exists in the page. */
export function TrailTable({ list, chosen, onChoose }: Props) {
  const { events, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage, searchedTo } = list;
  const { ref: sized, width } = useElementSize<HTMLDivElement>();
  const box = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  const narrow = width < 720;
  useLayoutEffect(() => {
    if (box.current) setMargin(box.current.getBoundingClientRect().top + window.scrollY);
  }, [width]);
  const virtual = useWindowVirtualizer({
    count: width ? events.length : 0, estimateSize: () => (narrow ? 92 : 56), overscan: 6, scrollMargin: margin, scrollPaddingStart: 120, scrollPaddingEnd: 60,
  });
  useLayoutEffect(() => virtual.measure(), [virtual, narrow]);

  const wanted = useRef(-1);
  useEffect(() => {
    const row = box.current?.querySelector<HTMLElement>(`[data-row="${wanted.current}"]`);
    if (!row) return;
    wanted.current = -1;
    row.focus({ preventScroll: true });
  });
  const go = (by: number) => {
    const now = Number((document.activeElement as HTMLElement | null)?.dataset.row ?? -1);
    wanted.current = Math.min(events.length - 1, Math.max(0, now < 0 ? (virtual.getVirtualItems()[0]?.index ?? 0) : now + by));
    virtual.scrollToIndex(wanted.current, { align: 'auto' });
    box.current?.querySelector<HTMLElement>(`[data-row="${wanted.current}"]`)?.focus({ preventScroll: true });
  };
  useKeys({ j: () => go(1), k: () => go(-1) });

  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= events.length - 10 && hasNextPage && !isFetchingNextPage && !isFetchNextPageError && width && events.length > 0) void fetchNextPage();
  }, [last, events.length, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage, width]);

  return (
    <div ref={useMergedRef(sized, box)}>
      {!narrow && <div className={styles.columns} aria-hidden>{columns.map((c) => <span key={c}>{c}</span>)}</div>}
      <div className={styles.space} role="list" aria-label="Events, newest first" style={{ height: virtual.getTotalSize() }}>
        {items.map((v) => {
          const event = events[v.index];
          return event && (
            <div key={event.id} className={styles.slot} role="listitem" aria-posinset={v.index + 1} aria-setsize={hasNextPage ? -1 : events.length} style={{ transform: `translateY(${v.start - margin}px)`, height: v.size }}>
              <Row event={event} at={v.index} chosen={event.id === chosen} onChoose={onChoose} />
            </div>
          );
        })}
      </div>
      <div className={styles.foot} role="status">
        {isFetchingNextPage && <><Loader size="xs" color="accent" aria-hidden /> {searchedTo ? `Looking further back than ${dayTime(searchedTo)} …` : 'Loading more …'}</>}
        {isFetchNextPageError && <>The next events could not be loaded. <Button size="xs" variant="default" onClick={() => void fetchNextPage()}>Try again</Button></>}
        {!hasNextPage && events.length > 0 && 'That is all.'}
      </div>
    </div>
  );
}

function Row({ event, at, chosen, onChoose }: { event: TrailEvent; at: number; chosen: boolean; onChoose: (id: string) => void }) {
  const nameOf = usePurposeName();
  const told = tell({ leaf: '', ...event }, nameOf);
  const f = fieldsOf({ leaf: '', ...event });
  const Sign = told.tone === 'warn' ? IconAlertTriangle : told.tone === 'bad' ? IconCircleX : null;
  return (
    <button type="button" className={styles.row} data-row={at} data-tone={told.tone} aria-pressed={chosen} onClick={() => onChoose(event.id)}>
      <span className={styles.when}>{known(told.at) ? <time dateTime={told.at} title={full(told.at)}><b>{time(told.at)}</b> {day(told.at)}</time> : 'time unknown'}</span>
      <span className={styles.who}>{told.who}<small>{[f.actor_role?.replace(/_/g, ' '), f.address].filter(Boolean).join(' · ')}</small></span>
      <span className={styles.what}>{Sign && <Sign size={15} aria-hidden />}<span>{told.what}<small>{told.more}</small></span></span>
      <span className={styles.item}><span className="mono">{event.item}</span></span>
      <span className={styles.why}>{[f.purpose && nameOf(f.purpose), f.reference].filter(Boolean).join(' · ')}<small>{f.note}</small></span>
    </button>
  );
}
