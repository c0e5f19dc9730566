import { Button, Skeleton } from '@mantine/core';
import { IconHistory, IconListSearch } from '@tabler/icons-react';
import { useSearchParams } from 'react-router';
import { Failure, Notice } from '../../parts/states';
import { useTitle } from '../../parts/title';
import { dayTime, plural } from '../../words/time';
import { EventPanel } from './EventPanel';
import { isOpen, open, readFilter, withFilter, type Filter } from './filter';
import { GiveOut, Report } from './GiveOut';
import styles from './Trail.module.css';
import { TrailBar } from './TrailBar';
import { TrailTable } from './TrailTable';
import { useTrail } from './useTrail';

/** Who did what to which recording, with all values as they were at the time. */
export function TrailPage() {
  useTitle('Trail');
  const [params, setParams] = useSearchParams();
  const filter = readFilter(params);
  const list = useTrail(filter);
  const chosen = params.get('event') ?? '';
  const narrow = (f: Partial<Filter>) => {
    setParams((q) => withFilter(q, f), { preventScrollReset: true });
    window.scrollTo({ top: 0 });
  };
  const choose = (id: string) => setParams((q) => {
    const next = new URLSearchParams(q);
    if (id) next.set('event', id);
    else next.delete('event');
    return next;
  }, { replace: true, preventScrollReset: true });
  const close = () => {
    choose('');
    document.querySelector<HTMLElement>('[data-row][aria-pressed="true"]')?.focus({ preventScroll: true });
  };
  const none = list.isSuccess && list.events.length === 0;

  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <div>
          <h1>Trail</h1>
          <p className="dim">Everything that was done, tried or refused, as it was recorded. What you look for here is recorded as well.</p>
        </div>
        <div className={styles.give}>
          <GiveOut filter={filter} disabled={list.events.length === 0} />
          <Report />
        </div>
      </div>
      <TrailBar filter={filter} onChange={narrow} />
      <div className={styles.body} data-open={!!chosen}>
        <div className={styles.results}>
          <p className="hidden" role="status">{list.isSuccess && `${plural(list.events.length, 'event')} loaded`}</p>
          {list.error && list.events.length === 0 && <Failure error={list.error} retry={() => void list.refetch()} busy={list.isFetching} />}
          {list.isPending && <Waiting />}
          {none && !list.hasNextPage && (isOpen(filter) ? (
            <Notice icon={IconHistory} title="Nothing has happened yet">Events appear here as soon as footage comes in or somebody looks at it.</Notice>
          ) : (
            <Notice icon={IconListSearch} title="No event matches" action={<Button variant="default" onClick={() => narrow(open)}>Show the whole trail</Button>}>
              Nobody did this, or not within this time, or it is about a recording that you may not know of.
            </Notice>
          ))}
          {none && list.hasNextPage && (list.isFetchingNextPage
            ? <Notice icon={IconListSearch} title="Looking further back …">{list.searchedTo && `Nothing found since ${dayTime(list.searchedTo)}.`}</Notice>
            : <Notice icon={IconListSearch} title="Nothing found so far" action={<Button variant="default" onClick={() => void list.fetchNextPage()}>Look further back</Button>}>
                {list.searchedTo && `Nothing matches since ${dayTime(list.searchedTo)}. These filters have little in common; a time would help.`}
              </Notice>)}
          {list.events.length > 0 && <TrailTable list={list} chosen={chosen} onChoose={choose} />}
        </div>
        {chosen && <EventPanel id={chosen} onClose={close} onNarrow={narrow} />}
      </div>
    </div>
  );
}

function Waiting() {
  return (
    <div className={styles.waiting} role="status" aria-label="Opening the trail">
      {Array.from({ length: 12 }, (_, i) => <Skeleton key={i} height={44} radius="sm" />)}
    </div>
  );
}
