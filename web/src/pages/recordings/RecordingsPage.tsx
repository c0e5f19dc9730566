import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { useMediaQuery } from '@mantine/hooks';
import { IconPhotoSearch, IconVideo } from '@tabler/icons-react';
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { daysQuery } from '../../app/queries';
import { Failure, Notice } from '../../parts/states';
import { useTitle } from '../../parts/title';
import { count } from '../../words/time';
import { DateRail } from './DateRail';
import { isOpen, readFilter, withFilter } from './filter';
import { FilterBar } from './FilterBar';
import styles from './RecordingsPage.module.css';
import { Results, Skeletons } from './Results';
import { useNews, useRecordings } from './useRecordings';

export type View = 'grid' | 'table';

/** All recordings that this person may see, newest first. */
export function RecordingsPage() {
  useTitle('Recordings');
  const [params, setParams] = useSearchParams();
  const filter = readFilter(params);
  const wide = useMediaQuery('(min-width: 75em)', true, { getInitialValueInEffect: false });
  const [railOpen, setRailOpen] = useState(false);
  const view: View = params.get('view') === 'table' ? 'table' : 'grid';
  const list = useRecordings(filter);
  const { fresh, showNews } = useNews(filter, list.cards);
  const days = useQuery(daysQuery);

  const change = (c: Parameters<typeof withFilter>[1], replace = false) => {
    setParams((q) => withFilter(q, c), { replace, preventScrollReset: true });
    window.scrollTo({ top: 0 });
  };
  const setView = (v: View) => setParams((q) => {
    const next = new URLSearchParams(q);
    if (v === 'table') next.set('view', v);
    else next.delete('view');
    return next;
  }, { replace: true, preventScrollReset: true });

  const total = !filter.officer && !filter.device
    ? days.data?.days.reduce((n, d) => ((!filter.from || d.day >= filter.from) && (!filter.to || d.day <= filter.to) ? n + d.count : n), 0)
    : undefined;
  const rail = <DateRail filter={filter} days={days.data?.days} failed={days.isError} onChange={(c) => { change(c); setRailOpen(false); }} />;

  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1>Recordings</h1>
        <p className="dim">{total !== undefined && `${count(total)} you may see`}</p>
      </div>
      <FilterBar
        filter={filter}
        onChange={change}
        view={view}
        onView={setView}
        dates={wide ? undefined : { open: railOpen, toggle: () => setRailOpen((o) => !o), rail }}
      />
      <div className={styles.body}>
        {wide && <aside className={styles.rail} aria-label="Dates">{rail}</aside>}
        <div className={styles.results}>
          <div className={styles.news} role="status">
            {fresh > 0 && (
              <button type="button" onClick={() => { void showNews(); window.scrollTo({ top: 0 }); }}>
                {count(fresh)} new. Show {fresh === 1 ? 'it' : 'them'}
              </button>
            )}
          </div>
          {list.error && list.cards.length === 0 && <Failure error={list.error} retry={() => void list.refetch()} busy={list.isFetching} />}
          {list.isPending && <Skeletons view={view} />}
          {list.isSuccess && list.cards.length === 0 && (isOpen(filter) ? (
            <Notice icon={IconVideo} title="No recordings yet">
              They appear here by themselves as soon as a camera has been docked and its footage has arrived.
            </Notice>
          ) : (
            <Notice icon={IconPhotoSearch} title="Nothing matches" action={<Button variant="default" onClick={() => change({ officer: '', device: '', from: '', to: '' })}>Show all recordings</Button>}>
              No recording that you may see has this officer, camera and date. Collar and camera numbers must be complete.
            </Notice>
          ))}
          {list.cards.length > 0 && <Results cards={list.cards} view={view} list={list} storageKey={params.toString()} />}
        </div>
      </div>
    </div>
  );
}
